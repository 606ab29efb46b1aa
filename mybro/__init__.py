"""Speak, and the words become a finished change in your repository."""

__version__ = "0.1.0"
