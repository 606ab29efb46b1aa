"""The talk key on macOS: an event tap that only listens. Thin: what an event means is decided in `Tap`.

Written to Apple's documented calls, not yet run on a Mac. It needs the permission "Input Monitoring".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mybro.audio.keys import HANDS_FREE, Key
from mybro.audio.tap import Tap
from mybro.errors import AudioError

START_S = 5.0
PANE = "System Settings > Privacy & Security > Input Monitoring"


class EventTap:
    """Watches one key from a thread of its own, which has the run loop that the tap needs."""

    def __init__(self, key: Key) -> None:
        """Raises `AudioError` where the permission is missing."""
        import Quartz

        self._quartz: Any = Quartz
        self._key = key
        if not Quartz.CGPreflightListenEventAccess():
            raise _refused()
        self._ready = threading.Event()
        self._port: Any = None
        self._loop: Any = None
        self._stopped = False

    def start(self, on_edge: Callable[[bool], None]) -> None:
        tap = Tap(self._key)
        threading.Thread(target=self._run, args=(tap, on_edge), name="talk key", daemon=True).start()
        if not self._ready.wait(START_S) or self._port is None:
            self.stop()
            raise _refused()

    def stop(self) -> None:
        self._stopped = True
        loop, self._loop = self._loop, None
        if loop is not None:
            # A run loop that has not begun yet forgets a stop; one without a source ends by itself.
            self._quartz.CFMachPortInvalidate(self._port)
            self._quartz.CFRunLoopStop(loop)

    def _run(self, tap: Tap, on_edge: Callable[[bool], None]) -> None:
        quartz = self._quartz

        def seen(_proxy: Any, kind: int, event: Any, _context: Any) -> Any:
            if tap.was_disabled(kind):
                quartz.CGEventTapEnable(self._port, True)
                edges = tap.missed()
            else:
                code = quartz.CGEventGetIntegerValueField(event, quartz.kCGKeyboardEventKeycode)
                edges = tap.feed(kind, code, quartz.CGEventGetFlags(event))
            for edge in edges:
                on_edge(edge)
            return event

        kinds = (quartz.kCGEventFlagsChanged, quartz.kCGEventKeyDown, quartz.kCGEventKeyUp)
        mask = sum(quartz.CGEventMaskBit(kind) for kind in kinds)
        self._port = quartz.CGEventTapCreate(
            quartz.kCGSessionEventTap, quartz.kCGHeadInsertEventTap, quartz.kCGEventTapOptionListenOnly,
            mask, seen, None,
        )  # fmt: skip
        if self._port is None:
            self._ready.set()
            return
        source = quartz.CFMachPortCreateRunLoopSource(None, self._port, 0)
        self._loop = quartz.CFRunLoopGetCurrent()
        quartz.CFRunLoopAddSource(self._loop, source, quartz.kCFRunLoopCommonModes)
        quartz.CGEventTapEnable(self._port, True)
        self._ready.set()
        if not self._stopped:
            quartz.CFRunLoopRun()
        quartz.CGEventTapEnable(self._port, False)


def _refused() -> AudioError:
    message = "macOS does not let this terminal notice keys"
    return AudioError("no_talk_key", message, hint=f"Allow it in {PANE}, {HANDS_FREE}")
