"""Text to intent: the local grammar first, then a language model, then the coding session."""
