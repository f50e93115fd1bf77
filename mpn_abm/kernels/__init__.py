"""Compiled functions of arrays and numbers: draws, events, walkers, fields."""
