from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mybro.audio.keys import choose_talk_key
from mybro.clock import MonotonicClock
from mybro.events import TalkPressed, TalkReleased
from tests.key_tools import LIMIT_S, Watching
from tests.program import measured
from tests.requirements import need

pytestmark = pytest.mark.integration

PRESS, RELEASE = TalkPressed(), TalkReleased()


class Display:
    """An X server without a screen."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "320x240x8", "-nolisten", "tcp", "-noreset"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._server.stdout
        with self._server.stdout:
            self.name = f":{self._server.stdout.readline().strip()}"

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()

    def press(self, *keys: str) -> None:
        """Press ("+alt_r") and release ("-alt_r") keys, by pynput's names."""
        env = {"PATH": os.environ["PATH"], "DISPLAY": self.name}
        subprocess.run([sys.executable, "-c", PRESS_KEYS, *keys], env=env, check=True, timeout=LIMIT_S)


def child_env(display: Display) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "DISPLAY": display.name, **measured()}


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[Display]:
    need(shutil.which("Xvfb"), "Xvfb, a display for the talk key's test: apt-get install xvfb")
    display = Display()
    monkeypatch.setenv("DISPLAY", display.name)
    yield display
    display.kill()


PRESS_KEYS = """
import sys, time
from pynput.keyboard import Controller, Key
keyboard = Controller()
for name in sys.argv[1:]:
    down, name = name[0] == "+", name[1:]
    (keyboard.press if down else keyboard.release)(getattr(Key, name))
    time.sleep(0.2)
"""

WATCH_KEY = """
import asyncio
from mybro.audio.keys import choose_talk_key
from mybro.clock import MonotonicClock

async def main():
    key, problem = choose_talk_key("right_option", MonotonicClock(), platform="linux")
    print(key.invitation, problem, flush=True)
    seen = []
    async for event in key.events():
        seen.append(type(event).__name__)
        if len(seen) == 3:
            break
    await key.aclose()
    print(*seen)

asyncio.run(main())
"""


async def test_a_key_on_a_real_display(display: Display) -> None:
    env = child_env(display)
    watching = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WATCH_KEY, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert watching.stdout
    async with asyncio.timeout(LIMIT_S):
        assert await watching.stdout.readline() == b"hold right Alt and speak None\n"
        while watching.returncode is None:
            await asyncio.to_thread(display.press, "+shift", "-shift", "+alt_r", "-alt_r")
            await asyncio.sleep(0.1)
        out, err = await watching.communicate()
    assert out.split() == [b"TalkPressed", b"TalkReleased", b"TalkPressed"]
    assert err == b"", "nothing but events, and an orderly end"


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if "asyncio" not in thread.name}


async def test_nothing_of_a_watch_is_left_though_nobody_presses_a_key(display: Display) -> None:
    before = threads()
    key, _ = choose_talk_key("f9", MonotonicClock(), platform="linux")
    watching = Watching(key)
    async with asyncio.timeout(LIMIT_S):
        while not watching.events:
            await asyncio.to_thread(display.press, "-f9", "+f9")
    assert threads() - before
    await watching.close()
    assert threads() - before == set()


async def test_a_display_that_does_not_answer_is_said(display: Display) -> None:
    display.kill()
    choose = """
from mybro.audio.keys import choose_talk_key
from mybro.clock import MonotonicClock
try:
    choose_talk_key("f9", MonotonicClock(), platform="linux")
except Exception as error:
    print(error)
"""
    env = child_env(display)
    command = [sys.executable, "-c", choose]
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.stdout.startswith("The display does not answer. ") and done.stderr == ""


WATCH_TO_THE_END = """
import asyncio, sys, threading
from mybro.audio.keys import choose_talk_key
from mybro.clock import MonotonicClock

async def main():
    key, problem = choose_talk_key("f9", MonotonicClock(), platform="linux")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    try:
        async for event in key.events():
            print(type(event).__name__, flush=True)
            if type(event).__name__ == "TalkReleased":
                break
    except Exception as error:
        print(error.code, flush=True)
    await key.aclose()
    print(*(thread.name for thread in threading.enumerate() if "asyncio" not in thread.name))

asyncio.run(main())
"""


async def test_a_display_that_goes_away_lets_the_key_go_and_leaves_no_trace(display: Display) -> None:
    # In a process of its own: what python-xlib leaves open after an error is not for this one.
    env = child_env(display)
    for dies_before in (False, True):
        watching = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WATCH_TO_THE_END, env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert watching.stdout and watching.stdin
        async with asyncio.timeout(LIMIT_S):
            assert await watching.stdout.readline() == b"ready\n"
            if dies_before:
                display.kill()
            watching.stdin.write(b"go\n")
            if not dies_before:
                pressed = asyncio.ensure_future(watching.stdout.readline())
                while not pressed.done():
                    await asyncio.to_thread(display.press, "-f9", "+f9")
                assert pressed.result() == b"TalkPressed\n"
                display.kill()
            out, err = await watching.communicate()
        ended = [b"no_talk_key"] if dies_before else [b"TalkReleased"]
        assert (out.split(), err) == ([*ended, b"MainThread"], b"")
        display = Display()
        env["DISPLAY"] = display.name
    display.kill()
