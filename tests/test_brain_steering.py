"""What corrects a task under way, and what is something new."""

from __future__ import annotations

import pytest

from mybro.brain.steering import redirects

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "No, use FastAPI instead.",
        "use fast api instead",
        "Actually, make it a class.",
        "wait, use httpx",
        "no wait, put it in utils",
        "scratch that, rename the module",
        "I meant the other file",
        "hold on, not the tests, the parser",
        "sorry, in main dot py",
        "never mind, use sqlite",
        "instead use a dataclass",
        "no, the second one",
    ],
)
def test_corrections(text: str) -> None:
    assert redirects(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "No.",
        "actually",
        "never mind",
        "wait for the tests and then push",
        "wait until it is done",
        "add a test for the parser",
        "use httpx instead of requests in the client",
        "now write the readme",
        "and also add a test",
        "note that the parser is slow",
        "instead",
        "nobody uses this, remove it",
        "notify the user when it fails",
    ],
)
def test_no_corrections(text: str) -> None:
    assert not redirects(text)
