"""The terminal view: it only watches the events."""
