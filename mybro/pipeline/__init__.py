"""The turn: one pure state machine, and the wiring that runs it."""
