"""mybro's own looking, where no engine looks."""
