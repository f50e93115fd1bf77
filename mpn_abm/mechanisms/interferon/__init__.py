"""Interferon alpha drives stem cells into differentiation."""
