"""The files in which Claude Code has its model write a plan before it asks for a yes to it."""

from __future__ import annotations

import os
from pathlib import Path

from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.tools import WRITERS

_SUFFIX = ".md"


class Plans:
    """One session's. They lie in the CLI's state: nothing runs them, and no checkpoint needs them."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "plans"
        self._own: list[Path] = []

    def takes(self, asked: PermissionAsked) -> bool:
        """Whether a plan is written: a new file in that folder, or one that this session began."""
        place = asked.arguments.get("file_path")
        if asked.tool not in WRITERS or not isinstance(place, str):
            return False
        path = Path(os.path.realpath(place))
        if path in self._own:
            return True
        new = not os.path.lexists(place) and path.suffix == _SUFFIX
        if not new or path.parent != Path(os.path.realpath(self._folder)):
            return False
        self._own.append(path)
        return True

    def newest(self) -> str:
        """What stands in the plan that was begun last; empty where there is none."""
        try:
            return self._own[-1].read_text(encoding="utf-8", errors="replace").strip() if self._own else ""
        except OSError:
            return ""
