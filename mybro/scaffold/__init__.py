"""New projects from the top-level templates/ folder."""
