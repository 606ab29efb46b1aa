"""The engine that reads the data in the top-level rules/ folder: what to build with, and what never."""
