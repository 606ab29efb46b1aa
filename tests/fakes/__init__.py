"""Stand-ins for what is outside a test, one file per room."""
