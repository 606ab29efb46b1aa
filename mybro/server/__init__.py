"""The page and its API: watches a session's events, and asks it for work through the ports in `port`."""
