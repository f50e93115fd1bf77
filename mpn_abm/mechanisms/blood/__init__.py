"""Progenitor output and blood counts."""
