"""What is wrong in a repository, how sure that is, and how to mend it: checks, engines, fixes, reports."""
