"""Study files: what is varied over a scenario, and what is asked of the runs."""
