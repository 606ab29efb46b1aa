"""Which lines a session leaves behind, and how plain and JSON output look."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.events import Envelope, Event
from mybro.intent import Action, Intent
from mybro.terminal import choose_view
from mybro.terminal.json_lines import JsonView
from mybro.terminal.lines import Line, Narrator, clean, duration, how_to_answer, meaning
from mybro.terminal.plain import PlainView, plain
from mybro.terminal.rich_view import RichView
from tests.terminal_scene import scene
from tests.test_wire import EVENT_TYPES, build

pytestmark = pytest.mark.unit

PROBLEM = Problem("silence", "the microphone is silent", "Open the privacy pane")
TEST = Intent(kind="local", action=Action.TEST, text="run the tests")


def told(*events: Event) -> list[Line]:
    narrator = Narrator()
    return [line for n, event in enumerate(events, 1) for line in narrator.tell(Envelope(n, n * 0.5, event))]


def final(text: str, turn: int = 1) -> ev.Transcript:
    return ev.Transcript(turn, text, final=True, sample=0)


HEARD = Line("heard", "run the tests", "test")
SILENT = Line("trouble", PROBLEM.message, PROBLEM.hint)
FIXED = ev.Outcome("Fixed.", changed=("a/b.py", "c"), cost_usd=0.04)
ASKED = ev.JobAsked(1, 2, "permission", "Run it?", "npm i")
ASKED_LINE = Line("asked", "Run it?", "say “yes” or “no”", "npm i")
FIXING = ev.JobStarted(1, 1, "fixing")
FIXING_LINE = Line("started", "fixing")


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([final("run the tests"), ev.Recorded(1), ev.Understood(1, TEST)], [HEARD]),
        ([final("stop"), ev.StopAll()], [Line("heard", "stop")]),
        ([final("one"), final("two", 2)], [Line("heard", "one")]),
        ([ev.Transcript(1, "not yet", final=False, sample=0), ev.StopAll()], []),
        ([final("  "), ev.StopAll()], []),
        ([ev.SourceOpened("desk mic", live=True)], [Line("source", "Listening to desk mic")]),
        ([ev.SourceClosed("mic")], []),
        ([ev.SourceClosed("mic", 3)], [Line("trouble", "3 blocks of sound were lost")]),
        ([ev.SourceTroubled(PROBLEM)], [SILENT]),
        ([ev.StageFailed("speak", Problem("x", "no voice"))], [Line("trouble", "no voice")]),
        ([ev.TranscriptionFailed(1, 2, PROBLEM)], [SILENT]),
        ([ev.TranscriptionFailed(1, 2, Problem("recogniser_closed", "it is not running"))], []),
        ([ev.RecordingFailed(1, PROBLEM)], [SILENT]),
        ([FIXING, ev.JobProgressed(1, "a.py")], [FIXING_LINE, Line("step", "a.py")]),
        ([ev.JobProgressed(1, "....", "output"), ev.JobProgressed(1, "Let me", "words")], []),
        (
            [FIXING, ev.JobFinished(1, FIXED)],
            [FIXING_LINE, Line("done", "Fixed.", "b.py and 1 more · $0.04 · 0.5 s")],
        ),
        (
            [ev.JobFinished(1, ev.Outcome("2 failed", ok=False, detail="log"))],
            [Line("bad", "2 failed", "", "log")],
        ),
        ([ev.JobFinished(1, ev.Outcome(""))], [Line("done", "Done")]),
        ([ev.JobFailed(1, PROBLEM)], [Line("failed", PROBLEM.message, "", PROBLEM.hint)]),
        ([FIXING, ev.JobStopped(1)], [FIXING_LINE, Line("stopped", "Stopped fixing", "0.5 s")]),
        ([ev.SayStarted(1, "Left alone."), ev.SayFinished(1)], [Line("said", "Left alone.")]),
        # what is spoken of once more makes no second line
        ([ev.SayStarted(1, "Fixing."), FIXING], [Line("said", "Fixing.")]),
        (
            [ev.JobFinished(1, ev.Outcome("12 passed")), ev.SayStarted(1, "12 passed. That cost 4 cents.")],
            [Line("done", "12 passed")],
        ),
        ([ev.SourceTroubled(PROBLEM), ev.SayStarted(1, "The microphone is silent. Open it.")], [SILENT]),
        # a question, and an answer that was not heard already
        ([ASKED, ev.Answered(2, True), ev.Answered(2, True, by="key")], [ASKED_LINE]),
        (
            [ASKED, ev.Answered(2, False, by="timeout")],
            [ASKED_LINE, Line("answered", "no", "no answer in time")],
        ),
        ([ASKED, ev.Answered(2, True, "red", by="key")], [ASKED_LINE, Line("answered", "red")]),
        ([ev.Answered(7, True, by="key")], []),
    ],
)
def test_lines(events: list[Event], lines: list[Line]) -> None:
    assert told(*events) == lines


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_every_event_can_be_shown_everywhere(kind: type) -> None:
    event = build(kind)
    for line in told(final("words"), event, ev.StopAll()):
        assert plain(line)


@pytest.mark.parametrize(
    ("asked", "how"),
    [
        (ev.JobAsked(1, 2, "plan", "Go?"), "say “yes” or “no”"),
        (
            ev.JobAsked(1, 2, "permission", "Go?", object="build", risk="destructive"),
            "say “yes, build” or “no”",
        ),
        (
            ev.JobAsked(1, 2, "choice", "Which?", choices=(ev.Choice("red"), ev.Choice("blue"))),
            "say one of: red, blue",
        ),
    ],
)
def test_how_to_answer(asked: ev.JobAsked, how: str) -> None:
    assert how_to_answer(asked) == how


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.01, ""), (0.44, "0.4 s"), (12.3, "12 s"), (65.0, "1 min 5 s"), (3599.9, "59 min 59 s")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_meanings() -> None:
    assert meaning(TEST) == "test"
    assert meaning(Intent(kind="task", risk="destructive", text="x")) == "task · destructive"
    assert meaning(Intent(kind="control", action=Action.YES, text="yes")) == ""


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\tb\r\nc\x07\x00", "a    b\nc"),
        ("\x9b31m\u202etxt", "31mtxt"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b", ""),
    ],
)
def test_nothing_shown_steers_the_terminal(dirty: str, tidy: str) -> None:
    assert clean(dirty) == tidy


# ---------------------------------------------------------------------------- plain and JSON


class Pipe(io.StringIO):
    """A stream that tells its encoding, and whose reader may have left."""

    def __init__(self, encoding: str = "utf-8", *, tty: bool = False) -> None:
        super().__init__()
        self._named, self._tty, self.reader_left = encoding, tty, False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._named

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        if self.reader_left:
            raise BrokenPipeError
        text.encode(self._named)
        return super().write(text)


def test_plain_lines_tell_the_whole_story_without_escapes() -> None:
    pipe = Pipe()
    view = PlainView(pipe)
    for envelope in scene():
        view.show(envelope)
    view.make_room()
    view.close()
    text = pipe.getvalue()
    assert "\x1b" not in text and max(map(len, text.splitlines())) < 120
    assert text.splitlines()[:6] == [
        "Listening to MacBook Pro Microphone",
        "> Run the tests. (test)",
        "  … running the tests",
        "  not ok: 12 passed, 2 failed: both in test_cart.py. (2.0 s)",
        "      FAILED tests/test_cart.py::test_rounding - assert 10.01 == 10.0",
        "      2 failed, 12 passed in 1.86s",
    ]
    assert "  ? It wants to install freezegun. Yes or no? (say “yes” or “no”)" in text


def test_a_long_detail_is_cut() -> None:
    rows = plain(Line("done", "text", detail="\n".join(map(str, range(100)))))
    assert len(rows) == 42 and rows[-1] == "      … 60 more lines"


def test_plain_lines_are_fit_for_a_stream_that_knows_few_characters() -> None:
    pipe = Pipe("ascii")
    PlainView(pipe).show(Envelope(1, 0.0, ev.SayStarted(1, "Größe → ok")))
    assert pipe.getvalue() == "  Gr??e ? ok\n"


def test_json_lines_leave_nothing_out() -> None:
    pipe = Pipe("ascii")
    view = JsonView(pipe)
    for envelope in scene():
        view.show(envelope)
    view.make_room()
    view.close()
    lines = [json.loads(line) for line in pipe.getvalue().splitlines()]
    assert [line["seq"] for line in lines] == [envelope.seq for envelope in scene()]
    assert {"SpeechStarted", "SpeechEnded", "Transcript", "Intent"} <= {line["event"] for line in lines}


@pytest.mark.parametrize("view_type", [PlainView, JsonView])
def test_a_reader_that_leaves_does_no_harm(view_type: Any) -> None:
    pipe = Pipe()
    view = view_type(pipe)
    view.show(Envelope(1, 0.0, ev.SayStarted(1, "Heard.")))
    pipe.reader_left = True
    view.show(Envelope(2, 0.0, ev.SayStarted(2, "Not heard.")))
    pipe.close()
    view.show(Envelope(3, 0.0, ev.SayStarted(3, "Not heard.")))
    view.close()


# ---------------------------------------------------------------------------- choice


@pytest.mark.parametrize(
    ("tty", "term", "encoding", "as_json", "expected"),
    [
        (True, "xterm-256color", "utf-8", False, RichView),
        (True, "xterm-256color", "UTF8", False, RichView),
        (True, "xterm-256color", "utf-8", True, JsonView),
        (True, "dumb", "utf-8", False, PlainView),
        (True, None, "utf-8", False, PlainView),
        (True, "xterm", "ascii", False, PlainView),
        (False, "xterm", "utf-8", False, PlainView),
        (False, "xterm", "utf-8", True, JsonView),
    ],
)
def test_the_view_suits_the_place(
    tty: bool, term: str | None, encoding: str, as_json: bool, expected: type
) -> None:
    environment = {"TERM": term} if term else {}
    view = choose_view(json=as_json, stream=Pipe(encoding, tty=tty), environment=environment)
    assert type(view) is expected
    view.close()
    forced = choose_view(json=as_json, is_tty=False, stream=Pipe(encoding, tty=tty), environment=environment)
    assert not isinstance(forced, RichView)


def test_what_was_put_right_in_the_words_is_shown_as_it_was_heard() -> None:
    narrator = Narrator()
    heard = ev.Transcript(
        1, "Rename parse_date, stream mixer", True, 0, heard="Rename pars date, stream mixer",
        alternatives=("stream_mixer", "StreamMixer"),
    )  # fmt: skip
    narrator.tell(ev.Envelope(1, 0.0, heard))
    (line,) = narrator.tell(ev.Envelope(2, 0.0, ev.SourceTroubled(Problem("x", "y"))))[:1]
    assert line.text == "Rename parse_date, stream mixer"
    assert line.note == "heard “pars date”; stream_mixer or StreamMixer?"
