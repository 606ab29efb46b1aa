"""The keys of a terminal, one by one as they are pressed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import Callable
from typing import Any


class Keyboard:
    """Reads a terminal's keys, which it shows no more meanwhile. Ctrl-C works as ever."""

    def __init__(self, terminal: int) -> None:
        """`terminal` is a terminal's descriptor."""
        self._terminal = terminal
        self._before: Any = None
        self._on_keys: Callable[[bytes], None] = _ignore
        self._on_end: Callable[[], None] | None = None

    def start(self, on_keys: Callable[[bytes], None], on_end: Callable[[], None] | None = None) -> None:
        """Call `on_keys` with what was pressed, and `on_end` once where the terminal goes away."""
        self._on_keys, self._on_end = on_keys, on_end
        self._before = termios.tcgetattr(self._terminal)
        quiet = termios.tcgetattr(self._terminal)
        quiet[3] &= ~(termios.ICANON | termios.ECHO)
        quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSANOW, quiet)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def stop(self) -> None:
        """Read no more, and leave the terminal as it was. Works twice."""
        before, self._before = self._before, None
        if before is None:
            return
        asyncio.get_running_loop().remove_reader(self._terminal)
        with contextlib.suppress(termios.error):
            # A terminal that was closed needs no restoring.
            termios.tcsetattr(self._terminal, termios.TCSANOW, before)

    def _read(self) -> None:
        try:
            read = os.read(self._terminal, 256)
        except OSError:
            read = b""
        if read:
            self._on_keys(read)
            return
        asyncio.get_running_loop().remove_reader(self._terminal)
        if self._on_end is not None:
            self._on_end()


def _ignore(_: bytes) -> None:
    return
