"""Mutant CALR on the surface of a cell and how T cells respond to it."""
