"""The one crossing from a checked scenario to arrays and numbers."""
