"""The talk key on X11, through pynput."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from mybro.audio.keys import HANDS_FREE, Key
from mybro.errors import AudioError

STOP_S = 1.0


class X11Watch:
    """Watches one key on the display that DISPLAY names."""

    def __init__(self, key: Key) -> None:
        """Raises `AudioError` where the display does not answer."""
        try:
            from pynput import keyboard
        except ImportError:
            raise _no_answer() from None
        self._keyboard = keyboard
        # International layouts have AltGr where the right Alt key is.
        names = {"alt_r", "alt_gr"} if key.x11 == "alt_r" else {key.x11}
        self._wanted = {getattr(keyboard.Key, str(name)) for name in names}
        self._listener: Any = None

    def start(self, on_edge: Callable[[bool], None]) -> None:
        def pressed(key: Any) -> None:
            if key in self._wanted:
                on_edge(True)

        def released(key: Any) -> None:
            if key in self._wanted:
                on_edge(False)

        listener = _listener(self._keyboard, pressed, released, lambda: on_edge(False))
        listener.start()
        listener.wait()
        if listener.lost:
            _join(listener)
            raise _no_answer()
        self._listener = listener

    def stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # The display may be gone, and with it whatever there was to stop.
            with contextlib.suppress(Exception):
                listener.stop()
            _join(listener)


def _listener(
    keyboard: Any, pressed: Callable[[Any], None], released: Callable[[Any], None], ended: Callable[[], None]
) -> Any:
    """pynput's listener, which by itself survives neither a display that goes away nor a quiet keyboard."""

    class Listener(keyboard.Listener):  # type: ignore[misc]
        lost = False

        def run(self) -> None:
            try:
                super().run()
            # mybro: ignore[PY06] The thread's own: nobody could catch it, and `wait` would wait for ever.
            except Exception:
                self.lost = True
                self._mark_ready()
            finally:
                ended()

        def _stop_platform(self) -> None:
            # pynput asks on the connection that records, where the server hears nothing until it has ended:
            # the thread would stay until somebody presses a key.
            self._display_stop.record_disable_context(self._context)
            self._display_stop.flush()

    return Listener(on_press=pressed, on_release=released)


def _join(listener: threading.Thread) -> None:
    # pynput's own waits on for an error that it may raise here.
    threading.Thread.join(listener, STOP_S)


def _no_answer() -> AudioError:
    return AudioError("no_talk_key", "The display does not answer", hint=f"Tap space here, {HANDS_FREE}")
