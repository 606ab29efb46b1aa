"""Coding sessions: the user's own Claude Code CLI, kept warm, one process to a repository."""
