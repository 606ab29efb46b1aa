"""The voice: what to say and when, and the voices that say it."""
