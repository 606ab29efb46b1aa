"""For programs: every event as one line of strict JSON."""

from __future__ import annotations

from typing import TextIO

from mybro.events import Envelope
from mybro.terminal.output import Output
from mybro.wire import to_line


class JsonView:
    """Leaves nothing out; what is measured ten times a second is there too."""

    def __init__(self, stream: TextIO, _place: str = "") -> None:
        self._output = Output(stream)

    def show(self, envelope: Envelope) -> None:
        self._output.line(to_line(envelope))

    def make_room(self) -> None:
        self._output.flush()

    def close(self) -> None:
        self._output.flush()
