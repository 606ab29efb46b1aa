"""Work that needs no model."""
