"""Spleen volume and symptoms."""
