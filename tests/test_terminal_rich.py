"""The live view: at many widths, without colours, on terminals that are slow, gone, or real."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.events import Envelope, Event
from mybro.terminal.picture import live_area
from mybro.terminal.rich_view import RichView
from mybro.terminal.screen import Screen, follow
from tests.terminal_scene import PICTURE, Story, drawn, picture, scene, texts, until
from tests.test_terminal_lines import Pipe
from tests.test_wire import EVENT_TYPES, build

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def shown(*events: Event, width: int = 80) -> str:
    """The live area after these events, as text."""
    envelopes = [Envelope(n, n * 0.1, event) for n, event in enumerate(events, 1)]
    screen = Screen()
    for envelope in envelopes:
        screen = follow(screen, envelope)
    console = drawn([], width)
    console.export_text()
    console.print(live_area(screen, screen.at + 2.0, width))
    return console.export_text()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 140, 200])
def test_it_fits_every_width(width: int) -> None:
    text = drawn(scene(), width).export_text()
    assert max(map(len, text.splitlines())) <= width
    for words in ("Run the tests.", "hearing you", "editing tests"):
        assert words in text, words
    assert "12 passed, 2 failed" in " ".join(text.split())


def test_history_and_live_area_at_eighty_columns() -> None:
    text = drawn(scene(), 80).export_text()
    assert "❯ Fix the failing test.                                             task · write" in text
    assert "    +    return round(sum(item.price for item in items), 2)" in text
    assert "╭─ mybro · shop ─" in text
    assert text.splitlines()[-1].endswith("5 turns · $0.04 · say “stop” to stop ─╯")


def written(envelopes: list[Envelope], *, no_color: bool = False) -> str:
    """What goes to the terminal, escapes and all."""
    console = drawn(envelopes, no_color=no_color)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_colours_nothing_is_lost() -> None:
    plain, coloured = written(scene(), no_color=True), written(scene())
    assert COLOUR.search(coloured) and not COLOUR.search(plain)
    assert ESCAPE.sub("", plain) == ESCAPE.sub("", coloured)


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_every_event_can_be_drawn(kind: type) -> None:
    assert "mybro" in shown(ev.SourceOpened("mic", True), build(kind), width=50)


QUESTION = ev.JobAsked(
    1, 2, "permission", "It wants to delete build. Yes or no?", "rm -rf build\nmore", "build", "destructive"
)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], ["not listening", "say “run the tests”, or “help”"]),
        ([ev.SourceOpened("desk mic", True)], ["opening desk mic"]),
        ([ev.SourceOpened("desk mic", True), ev.ListeningStarted(0)], ["● listening"]),
        ([ev.SourceOpened("a.flac", False), ev.ListeningStarted(0)], ["listening to a.flac"]),
        ([ev.SpeechStarted(1, 0)], ["hearing you", "❯ …"]),
        ([ev.SpeechStarted(1, 0), ev.Transcript(1, "rename", False, 0)], ["❯ rename"]),
        (
            [ev.SourceTroubled(Problem("x", "the microphone is silent", "Open the pane"))],
            ["! the microphone is silent", "Open the pane"],
        ),
        ([ev.JobStarted(1, 1, "running the tests")], ["running the tests", "2 s", "say “stop” to stop"]),
        ([ev.JobStarted(1, 1, "tests"), ev.JobProgressed(1, "test_a.py")], ["tests", "test_a.py"]),
        ([ev.JobStarted(n, 1, f"job {n}") for n in range(7)], ["job 3", "and 3 more"]),
        (
            [ev.JobStarted(1, 1, "tidying"), QUESTION],
            ["⏸ tidying", "? It wants to delete build.", "rm -rf build", "say “yes, build” or “no”"],
        ),
        (
            [ev.JobAsked(1, 2, "choice", "Which?", choices=(ev.Choice("red", "warm"), ev.Choice("blue")))],
            ["• red – warm", "• blue"],
        ),
        ([QUESTION, ev.JobAsked(1, 3, "plan", "Go?")], ["1 more after this one"]),
        ([ev.SayStarted(1, "Left alone.")], ["♪ speaking", "♪ Left alone."]),
    ],
)
def test_what_the_live_area_says(events: list[Event], words: list[str]) -> None:
    text = shown(*events)
    for part in words:
        assert part in text, text


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        ([QUESTION, ev.Answered(2, True)], "delete build"),
        ([QUESTION, ev.QuestionWithdrawn(2)], "delete build"),
        ([ev.JobStarted(1, 1, "tidying"), QUESTION, ev.JobStopped(1)], "delete build"),
        ([ev.JobStarted(1, 1, "tidying"), ev.JobFinished(1, ev.Outcome("ok"))], "tidying"),
        ([ev.JobStarted(1, 1, "tidying"), ev.JobFailed(1, Problem("x", "y"))], "tidying"),
        ([ev.SayStarted(1, "Left alone."), ev.SayFinished(1)], "Left alone."),
        ([ev.Transcript(1, "rename it", True, 0), ev.StopAll()], "rename it"),
        ([ev.SourceTroubled(Problem("x", "silent")), ev.ListeningStarted(0)], "silent"),
    ],
)
def test_what_is_over_leaves_the_live_area(events: list[Event], gone: str) -> None:
    assert gone in shown(*events[:-1]) and gone not in shown(*events)


def test_hostile_text_does_not_steer_the_terminal() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07[bold]text[/bold]"
    events: list[Event] = [
        ev.SourceOpened(evil, True), ev.Transcript(1, evil, True, 0), ev.SayStarted(1, evil),
        ev.JobStarted(1, 1, evil), ev.JobProgressed(1, evil),
        ev.JobAsked(1, 2, "choice", evil, evil, choices=(ev.Choice(evil, evil),)),
        ev.JobFinished(1, ev.Outcome(evil, detail=evil, changed=(evil,))),
    ]  # fmt: skip
    for count in range(1, len(events) + 1):
        envelopes = [Envelope(n, 0.1, event) for n, event in enumerate(events[:count], 1)]
        text = written(envelopes)
        assert "\x1b[2J" not in text and "\x1b]" not in text and "\x07" not in text
        assert "[bold]text[/bold]" in ESCAPE.sub("", text)


def test_the_picture_is_what_the_view_draws_today() -> None:
    """If this fails after a change of the view: python -m tests.terminal_scene"""
    assert list(texts(PICTURE.read_text(encoding="utf-8"))) == list(texts(picture()))
    assert "http" not in PICTURE.read_text().replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    ), "whoever looks at it fetches nothing"


# ---------------------------------------------------------------------------- a terminal of some kind


class Terminal(Pipe):
    """Counts what is written, and can hold the writer up."""

    def __init__(self) -> None:
        super().__init__(tty=True)
        self.writes = 0
        self.held = threading.Event()
        self.held.set()

    def is_quiet(self) -> bool:
        before = self.writes
        time.sleep(0.4)
        return self.writes == before

    @property
    def frames(self) -> int:
        return ESCAPE.sub("", self.getvalue()).count("╭─ mybro")

    def write(self, text: str) -> int:
        self.held.wait(90)
        self.writes += 1
        return super().write(text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "30")
    made = Terminal()
    yield made
    made.held.set()


def test_the_history_stays_and_the_cursor_comes_back(terminal: Terminal) -> None:
    view = RichView(terminal, "shop")
    for envelope in scene():
        view.show(envelope)
    until(lambda: "hearing you" in terminal.getvalue())
    view.close()
    view.close()
    view.show(scene()[0])
    # A view that closes does not wait for a slow terminal for ever.
    until(lambda: terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l"))
    text = terminal.getvalue()
    assert ESCAPE.sub("", text).count("❯ Push it.") == 1
    assert text.rindex("\x1b[2K") > text.rindex("hearing you"), "the live area is gone"


def test_it_draws_at_most_twelve_times_a_second_and_not_at_all_when_nothing_changes(
    terminal: Terminal,
) -> None:
    view = RichView(terminal)
    story = Story()
    story.add(ev.SourceOpened("mic", True), ev.ListeningStarted(0))
    story.talk(40.0)
    began = time.monotonic()
    for envelope in story.envelopes:
        view.show(envelope)
        time.sleep(0.004)
    until(lambda: "listening" in terminal.getvalue())
    until(terminal.is_quiet)
    assert 2 <= terminal.frames <= 12 * (time.monotonic() - began) + 3
    view.close()


def test_time_passes_while_a_job_runs(terminal: Terminal) -> None:
    view = RichView(terminal)
    view.show(Envelope(1, 0.0, ev.JobStarted(1, 1, "running the tests")))
    until(lambda: terminal.frames >= 4)
    view.close()


def test_a_terminal_that_is_held_does_not_hold_the_session(terminal: Terminal) -> None:
    terminal.held.clear()
    view = RichView(terminal)
    shown_all = threading.Event()

    def session() -> None:
        for envelope in scene():
            view.show(envelope)
        shown_all.set()

    threading.Thread(target=session, daemon=True).start()
    assert shown_all.wait(60)
    terminal.held.set()
    until(lambda: "Left alone." in terminal.getvalue())
    view.close()


def test_a_terminal_that_is_gone_does_no_harm(terminal: Terminal) -> None:
    view = RichView(terminal)
    view.show(scene()[0])
    until(terminal.getvalue)
    terminal.reader_left = True
    for envelope in scene():
        view.show(envelope)
    view.close()


def test_a_prompt_has_the_terminal_for_itself(terminal: Terminal) -> None:
    view = RichView(terminal)
    view.show(Envelope(1, 0.0, ev.JobStarted(1, 1, "running the tests")))
    until(lambda: "running the tests" in terminal.getvalue())
    view.make_room()
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")
    assert terminal.is_quiet(), "also the seconds of the job stand still"
    view.show(Envelope(2, 1.0, ev.JobProgressed(1, "test_cart.py")))
    until(lambda: "test_cart.py" in terminal.getvalue())
    view.close()
