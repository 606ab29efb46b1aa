"""One index of a repository's symbols, paths, branches, dependencies and recent edits."""

from mybro.index.repository import Index, build, load, refresh
from mybro.index.symbols import Symbol

__all__ = ["Index", "Symbol", "build", "load", "refresh"]
