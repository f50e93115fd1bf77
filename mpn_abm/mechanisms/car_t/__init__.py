"""CAR T cells: walk, engagement, expansion, memory and exhaustion."""
