"""The memory: every utterance, transcript, intent, job, permission, checkpoint and cost, in SQLite."""
