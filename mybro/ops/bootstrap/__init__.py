"""What `make` does: an environment with mybro in it, and the lanes that run there.

Only Python's standard library is imported here, because nothing else is installed when this runs first.
"""
