"""Many runs that answer one question: make scenarios, run them, read their tables."""
