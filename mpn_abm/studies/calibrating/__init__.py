"""Parameters from published figures and observations: a posterior (ABC-SMC) or a point with its profile."""
