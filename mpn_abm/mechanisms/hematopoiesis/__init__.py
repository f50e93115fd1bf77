"""Birth, loss and placement of the stem cells."""
