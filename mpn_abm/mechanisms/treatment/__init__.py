"""Treatments: which course runs, at which dose, and what all drugs together do."""
