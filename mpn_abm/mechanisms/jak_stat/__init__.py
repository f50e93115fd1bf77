"""JAK/STAT activity of each genotype and its persistence under a type I inhibitor."""
