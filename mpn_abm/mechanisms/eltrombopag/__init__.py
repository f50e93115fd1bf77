"""Eltrombopag brings the antigen to the surface and stimulates the receptor."""
