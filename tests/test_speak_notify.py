"""Notifications: to whom, how often, and that a text is never a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.config import SpeakSettings
from mybro.errors import Problem
from mybro.speak.notify import Notifier, notification
from tests import speak_children
from tests.fakes.audio import HastyClock, ManualClock

pytestmark = pytest.mark.unit

DONE = ev.JobFinished(1, ev.Outcome("12 passed"))
ASKED = ev.JobAsked(1, 2, "permission", "It wants to run npm install. Yes or no?")
RECORDER = (
    "import json, pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(json.dumps(sys.argv[2:]) + '\\n')"
)


class Desk:
    """A notifier whose notifications are written to a file by a real program."""

    def __init__(self, folder: Path, **settings: bool | float) -> None:
        self.clock = ManualClock()
        self.file = folder / "shown"
        self.notifier = Notifier(
            SpeakSettings.model_validate({"away_after_s": 40.0} | settings), self.clock,
            title="mybro: shop", command=self.command,
        )  # fmt: skip

    def command(self, title: str, text: str) -> list[str] | None:
        return [sys.executable, "-c", RECORDER, str(self.file), title, text]

    @property
    def shown(self) -> list[str]:
        if not self.file.exists():
            return []
        return [json.loads(line)[1] for line in self.file.read_text().splitlines()]


async def test_who_is_elsewhere_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.clock.advance(60)
    await desk.notifier.watch(DONE)
    assert json.loads(desk.file.read_text()) == ["mybro: shop", "12 passed."]


@pytest.mark.parametrize(
    "sign", [ev.SpeechStarted(1, 0), ev.Typed(1, "x"), ev.TalkPressed(), ev.Answered(1, True, by="key")]
)
async def test_who_speaks_or_types_is_not_elsewhere(tmp_path: Path, sign: ev.Event) -> None:
    desk = Desk(tmp_path)
    await desk.clock.advance(60)
    await desk.notifier.watch(sign)
    await desk.clock.advance(30)
    await desk.notifier.watch(DONE)
    assert desk.shown == []
    await desk.clock.advance(30)
    await desk.notifier.watch(DONE)
    assert desk.shown == ["12 passed."]


@pytest.mark.parametrize(
    "event", [ev.JobProgressed(1, "x"), ev.JobStopped(1), ev.Answered(1, False, by="timeout"), ev.StopAll()]
)
async def test_other_events_are_no_news(tmp_path: Path, event: ev.Event) -> None:
    desk = Desk(tmp_path)
    await desk.clock.advance(60)
    await desk.notifier.watch(event)
    assert desk.shown == []


async def test_news_is_limited_in_rate_and_questions_less(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.clock.advance(60)
    for _ in range(5):
        await desk.notifier.watch(DONE)
        await desk.clock.advance(1)
    await desk.notifier.watch(ASKED)
    await desk.clock.advance(11)
    await desk.notifier.watch(ev.JobFailed(1, Problem("x", "it broke", "Mend it")))
    assert desk.shown == ["12 passed.", "It wants to run npm install. Yes or no?", "It broke. Mend it."]


async def test_the_setting_switches_it_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path, notify=False)
    await desk.clock.advance(60)
    await desk.notifier.watch(DONE)
    assert desk.shown == []


@pytest.mark.parametrize(
    "command", [None, ["/no/such/program"], [sys.executable, "-c", "import time; time.sleep(600)"]]
)
async def test_a_desktop_without_notifications_is_asked_once(command: list[str] | None) -> None:
    asked = 0

    def counted(title: str, text: str) -> list[str] | None:
        nonlocal asked
        asked += 1
        return command

    clock = HastyClock()
    notifier = Notifier(SpeakSettings(away_after_s=0.0), clock, command=counted)
    for _ in range(3):
        await notifier.watch(DONE)
        await clock.sleep(60)
    assert asked == 1


EVIL = '"; do shell script "id" & $(id) `id` <b>&amp;\n\x07 ' + "x" * 300


def test_on_a_mac_the_text_is_an_argument_of_a_fixed_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notification("mybro", EVIL, "darwin") is None
    program = speak_children.program(tmp_path, "osascript", "")
    command = notification("mybro", EVIL, "darwin")
    plain = notification("mybro", "hello", "darwin")
    assert command is not None and plain is not None
    assert command[0] == str(program) and command[:-1] == plain[:-1]
    assert command[-2] == "mybro", "nothing after it can be an option"
    assert not any("id" in part.split() for part in command[1:-1])
    assert len(command[-1]) == 200 and command[-1].isprintable()


def test_on_linux_the_text_is_no_option_and_no_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notification("mybro", "--help", "linux") is None
    program = speak_children.program(tmp_path, "notify-send", "")
    assert notification("mybro", "--help <b>", "linux") == [
        str(program), "--app-name=mybro", "--", "mybro", "--help &lt;b&gt;",
    ]  # fmt: skip
