"""Which parameters an endpoint depends on, and how much of its variance is chance."""
