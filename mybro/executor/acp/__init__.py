"""A hand that works through any agent that speaks the Agent Client Protocol."""
