"""What runs beneath the stages: child processes, process trees, logging, supervision."""
