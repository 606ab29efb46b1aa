"""An examination told: to a person, a program, GitHub, a browser."""
