"""A page of Mesa's on a live marrow: look, step, treat, and save what was done as a scenario."""
