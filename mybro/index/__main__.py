"""Bring a repository's index up to date, in a process of its own: `python -m mybro.index ROOT`."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from mybro.index.repository import refresh


def main() -> None:
    # Whatever a person waits for comes first.
    with contextlib.suppress(OSError):
        os.nice(10)
    refresh(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
