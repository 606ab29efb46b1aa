"""For pipes and simple terminals: one plain line for each thing that matters, without any escapes."""

from __future__ import annotations

from typing import TextIO

from mybro.events import Envelope
from mybro.terminal.lines import Kind, Line, Narrator
from mybro.terminal.output import Output

_LEADS: dict[Kind, str] = {
    "source": "",
    "heard": "> ",
    "started": "  … ",
    "step": "    ",
    "done": "  ok: ",
    "bad": "  not ok: ",
    "failed": "  failed: ",
    "stopped": "  ",
    "asked": "  ? ",
    "answered": "  > ",
    "said": "  ",
    "trouble": "! ",
}
_DETAIL_LINES = 40


class PlainView:
    """Prints the session's lines as they come."""

    def __init__(self, stream: TextIO, _place: str = "") -> None:
        self._output = Output(stream)
        self._narrator = Narrator()

    def show(self, envelope: Envelope) -> None:
        for line in self._narrator.tell(envelope):
            for text in plain(line):
                self._output.line(text)

    def make_room(self) -> None:
        self._output.flush()

    def close(self) -> None:
        self._output.flush()


def plain(line: Line) -> list[str]:
    """A line, and its detail below it."""
    text = " ".join(line.text.split())
    shown = [f"{_LEADS[line.kind]}{text}" + (f" ({line.note})" if line.note else "")]
    detail = line.detail.splitlines()
    shown += [f"      {row}".rstrip() for row in detail[:_DETAIL_LINES]]
    if len(detail) > _DETAIL_LINES:
        shown.append(f"      … {len(detail) - _DETAIL_LINES} more lines")
    return shown
