from __future__ import annotations

import asyncio
import os
import sys
import termios
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

from mybro.audio.keys import KEYS, GlobalTalkKey, choose_talk_key, label, watch_trouble, wrong_key
from mybro.audio.keys_terminal import TapOrHold, TerminalTalkKey
from mybro.audio.tap import FLAGS_CHANGED, KEY_DOWN, KEY_UP, Tap
from mybro.clock import MonotonicClock
from mybro.config import AudioSettings
from mybro.errors import AudioError, ConfigError
from mybro.events import TalkPressed, TalkReleased
from tests.fakes.audio import HastyClock, ManualClock
from tests.key_tools import LIMIT_S, Watching

pytestmark = pytest.mark.unit

PRESS, RELEASE = TalkPressed(), TalkReleased()


# ------------------------------------------------------------------ which key


def test_the_default_key_is_usable_everywhere() -> None:
    default = AudioSettings().talk_key
    assert wrong_key(default, "darwin") is None and wrong_key(default, "linux") is None
    assert label(KEYS[default], "darwin") == "right Option"
    assert label(KEYS[default], "linux") == "right Alt"
    assert label(KEYS["f9"], "linux") == "F9"


def test_a_wrong_name_is_said_with_the_right_ones() -> None:
    assert "f9" in (wrong_key("bogus", "linux") or "")
    assert wrong_key("fn", "darwin") is None
    assert "fn" in (wrong_key("fn", "linux") or "")
    with pytest.raises(ConfigError, match="bogus"):
        choose_talk_key("bogus", MonotonicClock())


@pytest.mark.parametrize(
    ("env", "platform", "says"),
    [
        ({}, "linux", "no display"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux", "Wayland"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "linux", "Wayland"),
        ({}, "darwin", "pyobjc"),
        ({}, "freebsd", "freebsd"),
    ],
)
def test_why_no_key_can_be_watched(env: dict[str, str], platform: str, says: str) -> None:
    if platform == sys.platform == "darwin":
        pytest.skip("it is there")
    problem = watch_trouble(env, platform)
    assert problem and says in problem.message and problem.hint


def test_without_a_key_or_a_terminal_it_is_an_error() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(AudioError, match="no display"):
            choose_talk_key("f9", MonotonicClock(), terminal=read, env={}, platform="linux")
    finally:
        os.close(read)
        os.close(write)


# ------------------------------------------------------------------ what a macOS event means

OPTION = KEYS["right_option"]
RIGHT, LEFT, OPTION_FLAG = 0x40, 0x20, 0x80000
FN = 0x800000


def test_a_modifier_goes_down_and_up_by_its_own_bit() -> None:
    tap = Tap(OPTION)
    assert tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT | 0x100) == [True]
    assert tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT | 0x100) == []
    # Left Option comes and goes while the right one is held.
    assert tap.feed(FLAGS_CHANGED, 58, OPTION_FLAG | RIGHT | LEFT) == []
    assert tap.feed(FLAGS_CHANGED, 58, OPTION_FLAG | RIGHT) == []
    assert tap.feed(FLAGS_CHANGED, 61, 0x100) == [False]
    # Let go while left Option is held: the shared bit is still set.
    tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT | LEFT)
    assert tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | LEFT) == [False]


def test_a_modifier_that_types_is_no_talk() -> None:
    tap = Tap(OPTION)
    tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT)
    assert tap.feed(KEY_DOWN, 14, OPTION_FLAG | RIGHT) == [False]
    assert tap.feed(KEY_UP, 14, OPTION_FLAG | RIGHT) == []
    assert tap.feed(FLAGS_CHANGED, 61, 0x100) == []


def test_fn_is_known_by_its_code_since_arrows_set_its_bit() -> None:
    tap = Tap(KEYS["fn"])
    assert tap.feed(KEY_DOWN, 123, FN | 0x200000) == []
    assert tap.feed(FLAGS_CHANGED, 61, FN | OPTION_FLAG | RIGHT) == []
    assert tap.feed(FLAGS_CHANGED, 63, FN | 0x100) == [True]
    assert tap.feed(KEY_DOWN, 123, FN | 0x200000) == [False]
    assert tap.feed(FLAGS_CHANGED, 63, 0x100) == []
    assert tap.feed(FLAGS_CHANGED, 63, FN | 0x100) == [True]
    assert tap.feed(FLAGS_CHANGED, 63, 0x100) == [False]


def test_a_function_key_goes_down_once_however_often_it_repeats() -> None:
    tap = Tap(KEYS["f9"])
    assert [tap.feed(KEY_DOWN, 101, FN) for _ in range(3)] == [[True], [], []]
    assert tap.feed(KEY_DOWN, 12, 0) == []
    assert tap.feed(KEY_UP, 101, FN) == [False]


def test_a_tap_that_was_turned_off_lets_the_key_go() -> None:
    tap = Tap(OPTION)
    assert tap.was_disabled(4294967294) and tap.was_disabled(4294967295) and not tap.was_disabled(KEY_DOWN)
    assert tap.missed() == []
    tap.feed(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT)
    assert tap.missed() == [False]


class FakeQuartz(types.ModuleType):
    """As much of Quartz as the tap calls, as Apple documents it; events come when the test posts them."""

    kCGKeyboardEventKeycode = 9  # noqa: N815
    kCGEventKeyDown, kCGEventKeyUp, kCGEventFlagsChanged = KEY_DOWN, KEY_UP, FLAGS_CHANGED  # noqa: N815
    kCGSessionEventTap, kCGHeadInsertEventTap, kCGEventTapOptionListenOnly = 1, 0, 1  # noqa: N815
    kCFRunLoopCommonModes = "common"  # noqa: N815

    def __init__(self, *, allowed: bool = True, created: bool = True) -> None:
        super().__init__("Quartz")
        self.allowed, self.created = allowed, created
        self.callback: Callable[..., Any] | None = None
        self.mask = 0
        self.enabled: list[bool] = []
        self.stopped = threading.Event()
        self.invalidated: list[Any] = []
        self.in_loop: threading.Thread | None = None

    def __getattr__(self, name: str) -> Any:
        methods = {
            "CGPreflightListenEventAccess": lambda: self.allowed,
            "CGEventMaskBit": lambda kind: 1 << kind,
            "CGEventTapCreate": self._create,
            "CFMachPortCreateRunLoopSource": lambda _allocator, port, _order: ("source", port),
            "CFRunLoopGetCurrent": lambda: "loop",
            "CFRunLoopAddSource": lambda _loop, _source, _mode: None,
            "CGEventTapEnable": lambda _port, on: self.enabled.append(on),
            "CFRunLoopRun": self.stopped.wait,
            "CFRunLoopStop": lambda _loop: self.stopped.set(),
            "CFMachPortInvalidate": self.invalidated.append,
            "CGEventGetIntegerValueField": lambda event, _field: event[0],
            "CGEventGetFlags": lambda event: event[1],
        }
        if name not in methods:
            raise AttributeError(name)
        return methods[name]

    def _create(
        self, _where: int, _place: int, _options: int, mask: int, callback: Any, _context: Any
    ) -> Any:
        self.callback, self.mask = callback, mask
        self.in_loop = threading.current_thread()
        return "port" if self.created else None

    def post(self, kind: int, code: int, flags: int) -> None:
        assert self.callback
        event = (code, flags)
        assert self.callback(None, kind, event, None) is event, "a listening tap hands every event on"


async def test_the_event_tap_follows_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    quartz = FakeQuartz()
    monkeypatch.setitem(sys.modules, "Quartz", quartz)
    from mybro.audio.keys_macos import EventTap

    watching = Watching(GlobalTalkKey(OPTION, EventTap(OPTION), MonotonicClock(), platform="darwin"))
    assert watching.key.invitation == "hold right Option and speak"
    async with asyncio.timeout(LIMIT_S):
        while not quartz.enabled:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert quartz.mask == 1 << 10 | 1 << 11 | 1 << 12
    quartz.post(FLAGS_CHANGED, 61, OPTION_FLAG | RIGHT)
    await watching.wait_for(PRESS)
    quartz.post(4294967294, 0, 0)
    await watching.wait_for(PRESS, RELEASE)
    assert quartz.enabled == [True, True]
    await watching.close()
    assert quartz.in_loop
    quartz.in_loop.join(LIMIT_S)
    assert quartz.enabled[-1] is False and quartz.invalidated == ["port"]


@pytest.mark.parametrize("quartz", [FakeQuartz(allowed=False), FakeQuartz(created=False)])
async def test_a_refused_tap_says_where_to_allow_it(
    monkeypatch: pytest.MonkeyPatch, quartz: FakeQuartz
) -> None:
    monkeypatch.setitem(sys.modules, "Quartz", quartz)
    from mybro.audio.keys_macos import EventTap

    with pytest.raises(AudioError) as caught:
        await Watching(GlobalTalkKey(OPTION, EventTap(OPTION), MonotonicClock())).task
    assert "Input Monitoring" in caught.value.hint


# ------------------------------------------------------------------ edges


class ByHand:
    """A watch that the test moves."""

    def __init__(self) -> None:
        self.edge: Callable[[bool], None] = lambda _down: None
        self.stops = 0

    def start(self, on_edge: Callable[[bool], None]) -> None:
        self.edge = on_edge

    def stop(self) -> None:
        self.stops += 1


async def test_a_held_key_that_repeats_is_one_press() -> None:
    clock, watch = ManualClock(), ByHand()
    watching = Watching(GlobalTalkKey(KEYS["f9"], watch, clock))
    await clock.advance(0)
    for _ in range(5):
        watch.edge(True)
        watch.edge(True)
        await clock.advance(0.03)
        watch.edge(False)
        watch.edge(True)
        await clock.advance(0.03)
    assert watching.events == [PRESS]
    watch.edge(False)
    await clock.advance(0.03)
    assert watching.events == [PRESS]
    await clock.advance(0.03)
    assert watching.events == [PRESS, RELEASE]
    await watching.close()
    assert watch.stops
    watch.edge(True)


async def test_a_key_that_was_held_for_long_is_let_go_at_once() -> None:
    clock, watch = ManualClock(), ByHand()
    watching = Watching(GlobalTalkKey(KEYS["f9"], watch, clock))
    await clock.advance(0)
    watch.edge(True)
    for _ in range(300):
        # Most keyboards repeat more often than a repeat takes to be told from a release.
        await clock.advance(0.03)
        watch.edge(False)
        watch.edge(True)
    watch.edge(False)
    await clock.advance(0.1)
    assert watching.events == [PRESS, RELEASE]
    await watching.close()


async def test_the_last_edge_counts_however_many_come_while_the_loop_is_busy() -> None:
    clock, watch = ManualClock(), ByHand()
    watching = Watching(GlobalTalkKey(KEYS["f9"], watch, clock))
    await clock.advance(0)
    for _ in range(100):
        watch.edge(True)
        watch.edge(False)
    await clock.advance(0.1)
    assert watching.events in ([], [PRESS, RELEASE])
    for _ in range(100):
        watch.edge(False)
        watch.edge(True)
    await clock.advance(0.1)
    assert watching.events[-1] == PRESS
    await watching.close()


async def test_a_key_that_was_closed_before_it_began_watches_nothing() -> None:
    watch = ByHand()
    key = GlobalTalkKey(KEYS["f9"], watch, ManualClock())
    await key.aclose()
    assert [event async for event in key.events()] == []


# ------------------------------------------------------------------ the terminal


def test_two_taps_or_one_hold_are_one_press() -> None:
    taps = TapOrHold()
    assert taps.due is None and taps.key(0.0) == [PRESS] and taps.due is None
    assert taps.key(5.0) == []
    assert taps.due == pytest.approx(5.15) and taps.wait_over() == [RELEASE]
    # Held: after half a second the terminal sends it again and again.
    assert taps.key(10.0) == [PRESS]
    for repeat in range(30):
        assert taps.key(10.5 + repeat * 0.033) == []
    assert taps.due == pytest.approx(10.5 + 29 * 0.033 + 0.15) and taps.wait_over() == [RELEASE]
    assert taps.due is None


async def test_taps_in_a_real_terminal() -> None:
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    clock = HastyClock()
    key, problem = choose_talk_key("f9", clock, terminal=theirs, env={}, platform="linux")
    assert isinstance(key, TerminalTalkKey) and problem and "display" in problem.message
    watching = Watching(key)
    await asyncio.sleep(0.05)
    flags = termios.tcgetattr(theirs)[3]
    assert not flags & (termios.ECHO | termios.ICANON) and flags & termios.ISIG
    os.write(ours, b"x")
    os.write(ours, b" ")
    await watching.wait_for(PRESS)
    os.write(ours, b"\n")
    await watching.wait_for(PRESS, RELEASE)
    os.write(ours, b" ")
    await watching.wait_for(PRESS, RELEASE, PRESS)
    await watching.close()
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


async def test_a_terminal_that_goes_away_ends_it() -> None:
    ours, theirs = os.openpty()
    watching = Watching(TerminalTalkKey(theirs, HastyClock()))
    await asyncio.sleep(0.05)
    os.close(ours)
    await asyncio.wait_for(watching.task, LIMIT_S)
    await watching.close()
    os.close(theirs)
