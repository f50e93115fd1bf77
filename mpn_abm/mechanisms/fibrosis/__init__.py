"""Myofibroblasts, cytokine and scar."""
