"""One page for a run or a study, with everything that a reader of its result wants to know."""
