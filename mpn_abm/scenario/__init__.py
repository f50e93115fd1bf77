"""From a file to a checked scenario in which every value knows its origin."""
