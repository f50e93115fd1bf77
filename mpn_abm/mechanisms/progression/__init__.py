"""Transformed cells, phases, and death."""
