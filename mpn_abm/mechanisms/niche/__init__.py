"""What scar costs the stem cells that lodge and divide in it."""
