"""The talk key: held anywhere on the desktop, or tapped in the terminal where that cannot be."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import janus

from mybro.clock import Clock
from mybro.errors import AudioError, ConfigError, Problem
from mybro.events import TalkPressed, TalkReleased

REPEAT_S = 0.04
"""X11 repeats a held key as up and down in one moment: only an up that lasts this long is one."""
EDGES = 64
HANDS_FREE = "or listen hands-free: mybro run --hands-free"

TalkEvent = TalkPressed | TalkReleased


@dataclass(frozen=True, slots=True)
class Key:
    """One key, as each platform names it."""

    label: str
    """What a person would call it."""
    mac_code: int
    """The virtual key code."""
    mac_flag: int = 0
    """The bit that a modifier sets in an event's flags, on its own side of the keyboard; 0 for other keys."""
    x11: str | None = None
    """pynput's name; None where X11 never sees the key."""


KEYS: dict[str, Key] = {
    "right_option": Key("right Option", 61, 0x40, "alt_r"),
    "left_option": Key("left Option", 58, 0x20, "alt_l"),
    "right_command": Key("right Command", 54, 0x10, "cmd_r"),
    "left_command": Key("left Command", 55, 0x08, "cmd_l"),
    "right_control": Key("right Control", 62, 0x2000, "ctrl_r"),
    "left_control": Key("left Control", 59, 0x01, "ctrl_l"),
    "right_shift": Key("right Shift", 60, 0x04, "shift_r"),
    "left_shift": Key("left Shift", 56, 0x02, "shift_l"),
    "fn": Key("fn", 63, 0x800000),
} | {
    f"f{number}": Key(f"F{number}", code, 0, f"f{number}")
    for number, code in enumerate(
        (122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111, 105, 107, 113, 106, 64, 79, 80, 90), start=1
    )
}
PC_LABELS = {"Option": "Alt", "Command": "Super"}


class TalkKey(Protocol):
    """Says when the person talks to mybro."""

    @property
    def invitation(self) -> str:
        """What to do with it: "hold right Option and speak"."""
        ...

    def events(self) -> AsyncIterator[TalkEvent]:
        """Pressed and released, in turn. Raises `AudioError` where the system refuses; ends with `aclose`."""
        ...

    async def aclose(self) -> None:
        """Watch no more keys. Works twice."""
        ...


class KeyWatch(Protocol):
    """A platform's way of noticing one key wherever the person is."""

    def start(self, on_edge: Callable[[bool], None]) -> None:
        """Call `on_edge` with True for down and False for up, in any thread. Raises `AudioError`."""
        ...

    def stop(self) -> None:
        """Watch no more. Works twice."""
        ...


class KeyWatchFactory(Protocol):
    def __call__(self, key: Key) -> KeyWatch: ...


WATCHES = {
    "darwin": "mybro.audio.keys_macos:EventTap",
    "linux": "mybro.audio.keys_x11:X11Watch",
}


class GlobalTalkKey:
    """A key that is held while the person speaks, whatever program has the focus."""

    def __init__(self, key: Key, watch: KeyWatch, clock: Clock, *, platform: str = sys.platform) -> None:
        self._watch = watch
        self._clock = clock
        self._edges: janus.Queue[bool] | None = None
        self._closed = False
        self.invitation = f"hold {label(key, platform)} and speak"

    async def events(self) -> AsyncIterator[TalkEvent]:
        if self._closed:
            return
        edges = self._edges = janus.Queue(EDGES)
        try:
            self._watch.start(lambda down: _offer(edges, down))
            down = False
            while True:
                edge = await edges.async_q.get()
                if edge == down:
                    continue
                if not edge and await self._comes_again(edges):
                    continue
                down = edge
                yield TalkPressed() if down else TalkReleased()
        except janus.AsyncQueueShutDown:
            return
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        self._closed = True
        self._watch.stop()
        if self._edges:
            self._edges.shutdown(immediate=True)
            await self._edges.aclose()

    async def _comes_again(self, edges: janus.Queue[bool]) -> bool:
        """Whether the key, just let go, goes down again at once: it is held, and repeats."""
        while True:
            await self._clock.sleep(REPEAT_S)
            if edges.async_q.empty():
                return False
            # All that came meanwhile: one pair at a time, repeats would pile up faster than they are taken.
            while not edges.async_q.empty():
                down = edges.async_q.get_nowait()
            if down:
                return True


def _offer(edges: janus.Queue[bool], down: bool) -> None:
    with contextlib.suppress(janus.SyncQueueShutDown):
        if edges.sync_q.full():
            # A held key repeats while the loop is busy. The last edge counts: without it the key stays down.
            with contextlib.suppress(janus.SyncQueueEmpty):
                edges.sync_q.get_nowait()
        # Only one thread puts, so there is room.
        edges.sync_q.put_nowait(down)


def label(key: Key, platform: str = sys.platform) -> str:
    """What the key is called on this platform's keyboards."""
    if platform == "darwin":
        return key.label
    side, _, name = key.label.rpartition(" ")
    return f"{side} {PC_LABELS.get(name, name)}".strip()


def wrong_key(name: str, platform: str = sys.platform) -> str | None:
    """What is wrong with a key's name, as a sentence; None where nothing is."""
    usable = [known for known, key in KEYS.items() if platform == "darwin" or key.x11]
    if name in usable:
        return None
    if name in KEYS:
        return f"{KEYS[name].label} is not seen by programs here. Use one of: {', '.join(usable)}."
    return f"There is no key {name!r}. Use one of: {', '.join(usable)}."


def watch_trouble(env: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Problem | None:
    """Why no key can be watched on this machine, as far as is known before trying; None where one can."""
    if platform == "darwin":
        module, package = "Quartz", "pyobjc-framework-Quartz"
    elif platform.startswith("linux"):
        module, package = "pynput", "pynput"
        if env.get("WAYLAND_DISPLAY") or env.get("XDG_SESSION_TYPE") == "wayland":
            return Problem(
                "no_talk_key", "Wayland lets no program notice keys", f"Tap space here, {HANDS_FREE}"
            )
        if not env.get("DISPLAY"):
            return Problem(
                "no_talk_key", "There is no display to notice keys on", f"Tap space here, {HANDS_FREE}"
            )
    else:
        return Problem(
            "no_talk_key", f"Keys cannot be noticed on {platform}", f"Tap space here, {HANDS_FREE}"
        )
    if importlib.util.find_spec(module) is None:
        return Problem("no_talk_key", f"{package} is not installed", "Run `make setup` in mybro's checkout")
    return None


def choose_talk_key(
    name: str,
    clock: Clock,
    *,
    terminal: int | None = None,
    env: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> tuple[TalkKey, Problem | None]:
    """The key of that name, or taps in the terminal where it cannot be watched, and then why.

    `terminal` is a descriptor to read taps from: standard input, where that is a terminal. Raises
    `ConfigError` for a name that is none, `AudioError` where there is no terminal either.
    """
    if wrong := wrong_key(name, platform):
        raise ConfigError(
            "unknown_talk_key", wrong.rstrip("."), hint="Run: mybro config set audio.talk_key f9"
        )
    trouble = watch_trouble(env, platform)
    if trouble is None:
        try:
            return GlobalTalkKey(KEYS[name], _watch(KEYS[name], platform), clock, platform=platform), None
        except AudioError as error:
            trouble = error.problem
    if terminal is None or not os.isatty(terminal):
        raise AudioError(trouble.code, trouble.message, hint=trouble.hint)
    from mybro.audio.keys_terminal import TerminalTalkKey

    return TerminalTalkKey(terminal, clock), trouble


def _watch(key: Key, platform: str) -> KeyWatch:
    module, _, name = WATCHES["darwin" if platform == "darwin" else "linux"].partition(":")
    factory: KeyWatchFactory = getattr(importlib.import_module(module), name)
    return factory(key)
