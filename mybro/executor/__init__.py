"""The hands: jobs, local actions, coding sessions, checkpoints and undo."""
