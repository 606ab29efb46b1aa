"""The talk key on X11, through pynput."""

from __future__ import annotations

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
            raise AudioError(
                "no_talk_key", "The display does not answer", hint=f"Tap space here, {HANDS_FREE}"
            ) from None
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

        self._listener = self._keyboard.Listener(on_press=pressed, on_release=released)
        self._listener.start()
        self._listener.wait()

    def stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()
            # Its thread talks to the display to the end.
            listener.join(STOP_S)
