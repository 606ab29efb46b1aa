"""What installed packages bring along beside code."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def in_package(name: str, inside: str = "") -> Path | None:
    """A file or folder inside a package, which is not imported for it; None where there is none."""
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec else None
    found = Path(places[0], inside) if places else None
    return found if found is not None and found.exists() else None
