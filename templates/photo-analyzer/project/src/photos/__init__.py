"""A service that looks at photos and finds them again."""
