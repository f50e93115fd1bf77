"""Pictures, films and reports of what a run or a study left: tables in, files out."""
