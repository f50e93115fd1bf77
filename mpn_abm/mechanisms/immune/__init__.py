"""PD-L1, suppression by myeloid cells, endogenous T cells, and what drugs do to T cells."""
