"""A session as a list of envelopes, for the terminal's tests and for the picture in the README.

python -m tests.terminal_scene          draws docs/terminal.svg anew
python -m tests.terminal_scene play     plays it in this terminal
"""

from __future__ import annotations

import io
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from mybro import events as ev
from mybro.intent import Action, Arguments, Intent
from mybro.terminal import choose_view
from mybro.terminal.lines import Narrator
from mybro.terminal.picture import HISTORY, history, live_area
from mybro.terminal.screen import Screen, follow

PICTURE = Path(__file__).parent.parent / "docs" / "terminal.svg"
COLUMNS = 88

TEST = Intent(kind="local", action=Action.TEST, text="Run the tests.")
FIX = Intent(kind="task", risk="write", text="Fix the failing test.", source="claude")
UNDO = Intent(kind="control", action=Action.UNDO, risk="write", text="Undo that.")
DIFF = Intent(kind="local", action=Action.DIFF, text="Show me the diff.")
PUSH = Intent(
    kind="local", action=Action.PUSH, text="Push it.", risk="write", needs_confirmation=True,
    arguments=Arguments(remote="origin", branch="main"),
)  # fmt: skip

FAILURES = """\
FAILED tests/test_cart.py::test_rounding - assert 10.01 == 10.0
2 failed, 12 passed in 1.86s"""

CHANGES = """\
shop/cart.py
-    return sum(item.price for item in items)
+    return round(sum(item.price for item in items), 2)"""


class Story:
    """Puts events into envelopes, in time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.envelopes: list[ev.Envelope] = []

    def add(self, *events: ev.Event, after: float = 0.05) -> None:
        for event in events:
            self.now += after
            number = len(self.envelopes) + 1
            self.envelopes.append(ev.Envelope(number, self.now, event, sample=int(self.now * 16_000)))

    def talk(self, seconds: float, loud: bool = True) -> None:
        """Loudness ten times a second, of a voice or of a quiet room."""
        for step in range(round(seconds * 10)):
            wave = abs(math.sin(step * 1.1) * math.sin(step * 0.37 + 1))
            level = -42 + 34 * wave if loud else -58 + 6 * wave
            self.add(ev.LevelMeasured(0, level, level + 6, 0.95 if loud else 0.02), after=0.1)

    def sentence(self, turn: int, text: str, intent: Intent | None, seconds: float = 1.4) -> None:
        """Somebody says something, and it is understood."""
        start = int(self.now * 16_000)
        sound = ev.Utterance(ev.AudioBlock(start, b""), start, start)
        self.add(ev.SpeechStarted(turn, start))
        self.talk(seconds)
        self.add(ev.SpeechPaused(turn, sound), ev.Transcript(turn, text, final=False, sample=start))
        self.talk(0.4, loud=False)
        self.add(ev.SpeechEnded(turn, sound), ev.Transcript(turn, text, final=True, sample=start))
        if intent is not None:
            self.add(ev.Recorded(turn), ev.Understood(turn, intent), after=0.2)

    def say(self, speech: int, text: str, seconds: float = 1.0) -> None:
        self.add(ev.SayStarted(speech, text))
        self.talk(seconds, loud=False)
        self.add(ev.SayFinished(speech))


def scene() -> list[ev.Envelope]:
    """Tests that fail, a task that mends them and asks on its way, and an undo said meanwhile."""
    story = Story()
    story.add(ev.SourceOpened("MacBook Pro Microphone", live=True), ev.ListeningStarted(800))
    story.talk(1.0, loud=False)
    story.sentence(1, "Run the tests.", TEST)
    story.add(ev.JobStarted(1, 1, "running the tests"))
    story.say(2, "Running the tests.")
    story.talk(0.9, loud=False)
    failed = ev.Outcome("12 passed, 2 failed: both in test_cart.py.", ok=False, detail=FAILURES)
    story.add(ev.JobFinished(1, failed))
    story.say(3, "12 passed, 2 failed: both in test_cart.py.", 2.0)
    story.sentence(2, "Fix the failing test.", FIX)
    story.add(ev.JobStarted(2, 2, "Fix the failing test", checkpoint="c1"))
    story.say(4, "On it.", 0.5)
    for step in ("reading tests/test_cart.py", "reading shop/cart.py", "editing shop/cart.py"):
        story.add(ev.JobProgressed(2, step))
        story.talk(1.2, loud=False)
    asked = ev.JobAsked(
        2, 5, "permission", "It wants to install freezegun. Yes or no?", detail="pip install freezegun",
    )  # fmt: skip
    story.add(asked)
    story.say(6, asked.text, 1.5)
    story.sentence(3, "Yes.", None, 0.6)
    story.add(ev.Answered(5, yes=True), ev.JobProgressed(2, "running the tests"))
    story.talk(2.0, loud=False)
    mended = ev.Outcome(
        "Totals are rounded now; all 14 tests pass.",
        changed=("shop/cart.py",), cost_usd=0.04, detail=CHANGES,
    )  # fmt: skip
    story.add(ev.JobFinished(2, mended))
    story.say(7, "Totals are rounded now; all 14 tests pass. That cost 4 cents.", 3.0)
    story.sentence(4, "Push it.", PUSH)
    story.say(8, "Say yes to push to origin main.", 1.6)
    story.sentence(5, "No, wait.", Intent(kind="control", action=Action.NO, text="No, wait."), 0.8)
    story.say(9, "Left alone.", 0.6)
    story.sentence(6, "Add a test for an empty cart.", FIX.model_copy(update={"text": "Add a test"}))
    story.add(ev.JobStarted(3, 6, "Add a test for an empty cart", checkpoint="c2"))
    story.say(10, "On it.", 0.5)
    story.add(ev.JobProgressed(3, "editing tests/test_cart.py"))
    story.talk(4.0, loud=False)
    story.add(ev.SpeechStarted(7, int(story.now * 16_000)))
    story.talk(2.7)
    story.add(ev.Transcript(7, "and then show me the", final=False, sample=0))
    return story.envelopes


def drawn(envelopes: list[ev.Envelope], width: int = COLUMNS, no_color: bool | None = None) -> Console:
    """A recording console on which the history and the last live area have been printed."""
    console = Console(
        record=True, width=width, file=io.StringIO(), force_terminal=True, legacy_windows=False,
        color_system="truecolor", highlight=False, no_color=no_color,
    )  # fmt: skip
    narrator, screen = Narrator(), Screen()
    for envelope in envelopes:
        screen = follow(screen, envelope)
        for line in narrator.tell(envelope):
            if line.kind in HISTORY:
                console.print(history(line, width))
    console.print()
    console.print(live_area(screen, screen.at, width, "shop"))
    return console


THEME = TerminalTheme(
    (22, 24, 33), (214, 219, 232),
    [(22, 24, 33), (240, 113, 120), (152, 206, 128), (245, 203, 112),
     (122, 162, 247), (199, 146, 234), (98, 209, 219), (200, 204, 216)],
    [(92, 99, 122), (255, 139, 146), (180, 230, 150), (255, 220, 140),
     (150, 185, 255), (220, 170, 250), (130, 225, 235), (240, 242, 250)],
)  # fmt: skip


def picture() -> str:
    """The scene as an SVG."""
    svg = drawn(scene()).export_svg(title="mybro run", theme=THEME, unique_id="mybro")
    # The fonts of whoever looks at it do; nothing is fetched for it.
    before, _, rest = svg.partition("@font-face")
    svg = before + rest[rest.rindex("@font-face") :].partition("}")[2] if rest else svg
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return svg.replace("line-height: 24.4px;", "line-height: 24.4px; font-variant-ligatures: none;", 1)


def play(envelopes: list[ev.Envelope]) -> None:
    view = choose_view()
    now = 0.0
    try:
        for envelope in envelopes:
            time.sleep(envelope.at - now)
            now = envelope.at
            view.show(envelope)
        time.sleep(2)
    finally:
        view.close()


def texts(svg: str) -> Iterator[str]:
    """The words in an SVG."""
    for part in svg.split("<text")[1:]:
        yield part.partition(">")[2].partition("</text>")[0]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that within a minute")


if __name__ == "__main__":
    if sys.argv[1:] == ["play"]:
        play(scene())
    else:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture(), encoding="utf-8")
