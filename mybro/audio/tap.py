"""What the events of a macOS event tap mean for one key. Pure; the numbers are Apple's."""

from __future__ import annotations

from mybro.audio.keys import Key

KEY_DOWN = 10
KEY_UP = 11
FLAGS_CHANGED = 12
DISABLED = frozenset({0xFFFFFFFE, 0xFFFFFFFF})
"""The system turned the tap off, for taking too long or because of a person's input."""


class Tap:
    """Follows one key. True is down, False is up."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._down = False

    def feed(self, kind: int, code: int, flags: int) -> list[bool]:
        """What an event of this kind, key code and flags means."""
        if self._key.mac_flag:
            return self._modifier(kind, code, flags)
        if code != self._key.mac_code or kind not in (KEY_DOWN, KEY_UP):
            return []
        # A held key repeats as one down after another.
        return self._set(kind == KEY_DOWN)

    @staticmethod
    def was_disabled(kind: int) -> bool:
        """Whether the event says that the tap must be enabled again."""
        return kind in DISABLED

    def missed(self) -> list[bool]:
        """Events went by unseen: a key that was down may be up, and must not keep the microphone open."""
        return self._set(False)

    def _modifier(self, kind: int, code: int, flags: int) -> list[bool]:
        is_set = bool(flags & self._key.mac_flag)
        if kind == FLAGS_CHANGED and code == self._key.mac_code:
            return self._set(is_set)
        if kind == KEY_DOWN:
            # With another key it types a letter or runs a command: nobody is talking. The bit alone says
            # nothing, since arrows and function keys set fn's as well.
            return self._set(False)
        return []

    def _set(self, down: bool) -> list[bool]:
        if down == self._down:
            return []
        self._down = down
        return [down]
