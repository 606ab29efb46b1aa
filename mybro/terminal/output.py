"""A stream of lines whose reader may leave at any time, and may not know every character."""

from __future__ import annotations

import contextlib
from typing import TextIO


class Output:
    """Writes whole lines at once. After the reader has left, nothing is written and nothing is raised."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self.reader_left = False

    def line(self, text: str) -> None:
        if self.reader_left:
            return
        try:
            self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.reader_left = True

    def flush(self) -> None:
        if not self.reader_left:
            with contextlib.suppress(OSError, ValueError):
                self._stream.flush()
