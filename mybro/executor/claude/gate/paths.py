"""Names as places, also where a folder is entered that the command line is yet to make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import iglob
from pathlib import Path


def under(folder: Path, name: str) -> Path:
    """What a name means in a folder: a way up leads up, be there a folder or not."""
    return Path(os.path.realpath(folder / name)) if ".." in name else folder / name


def matching(folder: Path, pattern: str) -> Iterator[Path]:
    """What lies in a folder under names of a pattern."""
    plain, _, rest = pattern.rpartition("/")
    if ".." in plain and not any(char in plain for char in "*?["):
        folder, pattern = under(folder, plain), rest
    return (folder / name for name in iglob(pattern, root_dir=folder))  # noqa: PTH207
