"""Conditioning, donor stem cells, graft against leukaemia, and what the procedure costs."""
