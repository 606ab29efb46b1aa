"""A desktop notification when a job ends or asks while the person is elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import html
import shutil
import sys
from collections.abc import Callable

from mybro import events as ev
from mybro.clock import Clock
from mybro.config import SpeakSettings
from mybro.speak.bounded import within
from mybro.speak.news import news

_LONGEST = 200
_GAP_S = 10.0
_QUESTION_GAP_S = 2.0
_COMMAND_S = 5.0
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


class Notifier:
    """Watches the events of a session. Whoever speaks, types or answers is not elsewhere."""

    def __init__(
        self, settings: SpeakSettings, clock: Clock, *, title: str = "mybro",
        command: Callable[[str, str], list[str] | None] | None = None,
    ) -> None:  # fmt: skip
        """`command` gives the command line that shows a title and a text; by default the desktop's own."""
        self._settings = settings
        self._clock = clock
        self._title = title
        self._command = command or notification
        self._seen_at = clock.now()
        self._shown_at = -_GAP_S
        self._possible = settings.notify

    async def watch(self, event: ev.Event) -> None:
        """Take in one event, and notify where that is due. Never raises."""
        now = self._clock.now()
        match event:
            case (
                ev.SpeechStarted() | ev.Typed() | ev.TalkPressed() | ev.Answered(by="voice" | "key" | "page")
            ):
                self._seen_at = now
                return
        text = news(event)
        gap = _QUESTION_GAP_S if isinstance(event, ev.JobAsked) else _GAP_S
        away = now - self._seen_at >= self._settings.away_after_s
        if self._possible and text and away and now - self._shown_at >= gap:
            self._shown_at = now
            await self.show(text)

    async def show(self, text: str) -> bool:
        """Notify now; False where that is not possible. Never raises."""
        command = self._command(self._title, text) if self._settings.notify else None
        self._possible = command is not None
        if command is None:
            return False
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError:
            self._possible = False
            return False
        try:
            await within(self._clock, _COMMAND_S, process.wait())
        except TimeoutError:
            self._possible = False
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return self._possible


def notification(title: str, text: str, platform: str = sys.platform) -> list[str] | None:
    """The command that shows a notification, or None where the desktop has none.

    The text is an argument, never part of a script; and after the first argument nothing is an option.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    if platform == "darwin":
        script = [part for statement in _SCRIPT for part in ("-e", statement)]
        program, arguments = shutil.which("osascript"), [*script, title, line]
    else:
        # The body is read as markup there.
        program, arguments = shutil.which("notify-send"), ["--app-name=mybro", "--", title, html.escape(line)]
    return [program, *arguments] if program else None
