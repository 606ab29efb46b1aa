"""What single keys mean while a session runs."""

from __future__ import annotations

import asyncio

import pytest

from mybro.events import Answered, Choice, Event, Quit, Risk, StopAll, Typed
from mybro.pipeline.desk import Desk, meaning
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.state import Question, QuestionPhase, State

pytestmark = pytest.mark.unit


def asking(risk: Risk = "write", *choices: str) -> State:
    question = Question(
        7, "May I?", job=1, phase=QuestionPhase.SPOKEN, risk=risk, choices=tuple(map(Choice, choices))
    )
    return State(questions={7: question})


@pytest.mark.parametrize(
    ("key", "state", "event"),
    [
        (b"y", asking(), Answered(7, yes=True, by="key")),
        (b"Y", asking(), Answered(7, yes=True, by="key")),
        (b"a", asking(), Answered(7, yes=True, always=True, by="key")),
        (b"n", asking(), Answered(7, yes=False, by="key")),
        (b"y", asking("destructive"), None),
        (b"a", asking("destructive"), None),
        (b"Y", asking("destructive"), Answered(7, yes=True, by="key")),
        (b"n", asking("destructive"), Answered(7, yes=False, by="key")),
        (b"2", asking("write", "red", "blue"), Answered(7, yes=True, choice="blue", by="key")),
        (b"3", asking("write", "red", "blue"), None),
        (b"0", asking("write", "red", "blue"), None),
        (b"y", asking("write", "red", "blue"), None),
        (b"y", State(), None),
        (b"s", State(), StopAll()),
        (b"s", asking(), StopAll()),
        (b"\x1b", State(), StopAll()),
        (b"q", State(), Quit()),
        (b"\x04", State(), Quit()),
        (b"u", State(), Typed(0, "undo that")),
        (b"m", State(), Typed(0, "mute")),
        (b"m", State(muted=True), Typed(0, "unmute")),
        (b"x", State(), None),
    ],
)
def test_each_key_has_its_meaning(key: bytes, state: State, event: Event | None) -> None:
    assert meaning(key, state) == event


async def test_only_single_keys_are_acted_on() -> None:
    pipeline = Pipeline()
    posted: list[Event] = []

    async def post(event: Event, cause: int | None = None) -> None:
        posted.append(event)

    pipeline.post = post  # type: ignore[method-assign]
    desk = Desk(pipeline)
    for keys in (b"\x1b[A", b"sq", b"u", b"s"):
        desk.press(keys)
    await asyncio.sleep(0)
    assert posted == [Typed(1, "undo that"), StopAll()]
