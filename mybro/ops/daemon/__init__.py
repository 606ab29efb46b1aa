"""A session that the system starts at login and keeps: launchd on macOS, systemd on Linux."""
