"""For terminals: a live area that changes in place, below a history that stays."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, SegmentLines
from rich.text import Text

from mybro.events import Envelope
from mybro.terminal.lines import Line, Narrator
from mybro.terminal.picture import HISTORY, history, live_area
from mybro.terminal.screen import Screen, follow

_SHORTEST_S = 1 / 12
"""Between two drawings."""
_TICK_S = 1 / 8
"""Between drawings that only show that time passes."""
_LAST_WORDS_S = 2.0
"""A terminal that takes nothing for so long is left as it is."""
_WAITING_LINES = 2000


class _Console(Console):
    """A console that does not end the program when its terminal goes away."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class RichView:
    """A thread of its own does all the writing, so that a terminal that is held never holds the session."""

    def __init__(self, stream: TextIO, place: str = "") -> None:
        """`place` says where the session works: the repository's name."""
        self._console = _Console(file=stream, highlight=False)
        self._place = place
        self._narrator = Narrator()
        self._screen = Screen()
        self._shown_at = time.monotonic()
        self._lines: deque[Line] = deque(maxlen=_WAITING_LINES)
        self._changed = threading.Event()
        self._terminal = threading.Lock()
        self._live: Live | None = None
        self._drawn = (0, 0)
        """Width and rows of the live area as it was drawn last."""
        self._away = self._closed = False
        self._writer: threading.Thread | None = None

    def show(self, envelope: Envelope) -> None:
        if self._closed:
            return
        self._shown_at = time.monotonic()
        self._screen = follow(self._screen, envelope)
        self._lines += [line for line in self._narrator.tell(envelope) if line.kind in HISTORY]
        self._away = False
        self._changed.set()
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="terminal view", daemon=True)
            self._writer.start()

    def make_room(self) -> None:
        """Take the live area away, for a prompt on the same terminal, until the next event."""
        self._away = True
        with self._terminal:
            self._paint()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = self._away = True
        self._changed.set()
        if self._writer is not None:
            self._writer.join(_LAST_WORDS_S)

    def _write(self) -> None:
        last = False
        while not last:
            self._changed.wait(_TICK_S if self._screen.moving and not self._away else None)
            self._changed.clear()
            last = self._closed
            with self._terminal:
                self._paint()
            if not last:
                time.sleep(_SHORTEST_S)

    def _paint(self) -> None:
        """Print the lines that wait, and the live area below them."""
        try:
            if self._live is None and not self._away:
                self._live = Live(
                    get_renderable=self._area, console=self._console, auto_refresh=False, transient=True,
                    vertical_overflow="crop",
                )  # fmt: skip
                self._drawn = (0, 0)
                self._live.start()
            if self._live is not None:
                self._undo_reflow()
            while self._lines:
                self._console.print(history(self._lines.popleft(), self._console.width))
            if self._live is not None:
                self._live.refresh()
            if self._away and self._live is not None:
                live, self._live = self._live, None
                live.stop()
        except (OSError, ValueError):
            # The terminal is gone: nobody sees anything, and nothing may fail for it.
            self._closed = True

    def _area(self) -> RenderableType:
        screen, width = self._screen, self._console.width
        now = screen.at + time.monotonic() - self._shown_at
        area = Group(Text(), live_area(screen, now, width, self._place))
        rows = self._console.render_lines(area, self._console.options)
        self._drawn = width, len(rows)
        return SegmentLines(rows, new_lines=True)

    def _undo_reflow(self) -> None:
        """A terminal that became narrower has broken the rows drawn last into several: erase those too."""
        width, rows = self._drawn
        broken = (rows - 1) * (math.ceil(width / max(1, self._console.width)) - 1)
        if broken > 0:
            erase = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
            self._console.control(Control(*erase * broken))
