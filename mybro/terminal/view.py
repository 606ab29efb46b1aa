"""What shows a session: the Protocol, and which view suits the place it is shown in."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Protocol, TextIO

from mybro.events import Envelope


class View(Protocol):
    """Only watches: nothing that it does changes the session."""

    def show(self, envelope: Envelope) -> None:
        """Take in one event; quick, and never raises because of where it is shown."""
        ...

    def make_room(self) -> None:
        """Leave the screen to a prompt, until the next event."""
        ...

    def close(self) -> None:
        """Leave the screen in order."""
        ...


VIEWS = {
    "rich": "mybro.terminal.rich_view:RichView",
    "plain": "mybro.terminal.plain:PlainView",
    "json": "mybro.terminal.json_lines:JsonView",
}


def choose_view(
    *, json: bool = False, is_tty: bool | None = None, stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None, place: str = "",
) -> View:  # fmt: skip
    """JSON lines where asked for; the live view on a terminal that can show it; plain lines elsewhere.

    `place` says where the session works, for the live view's title: the repository's name.
    """
    stream = stream or sys.stdout
    environment = os.environ if environment is None else environment
    is_tty = stream.isatty() if is_tty is None else is_tty
    able = environment.get("TERM", "dumb") not in ("", "dumb", "unknown")
    utf8 = (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
    name = "json" if json else "rich" if is_tty and able and utf8 else "plain"
    module, _, attribute = VIEWS[name].partition(":")
    view: View = getattr(importlib.import_module(module), attribute)(stream, place)
    return view
