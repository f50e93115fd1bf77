"""New clones by mutation of stem cells."""
