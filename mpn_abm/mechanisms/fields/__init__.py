"""When the slow fields are brought up to date."""
