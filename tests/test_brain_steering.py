"""What corrects a task under way, what adds to it, and what is something new."""

from __future__ import annotations

import pytest

from mybro.brain.steering import adds, redirects

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


@pytest.mark.parametrize(
    "text",
    [
        "And also write a test for it.",
        "also fix the typo in the readme",
        "and then write the docs",
        "Oh, and add a changelog entry",
        "write a test for it as well",
        "while you're at it, rename the module",
        "one more thing, sort the imports",
    ],
)
def test_additions(text: str) -> None:
    assert adds(text)
    assert not redirects(text)


@pytest.mark.parametrize(
    "text", ["", "also", "and", "write a test", "android needs a build", "no, use FastAPI instead", "too"]
)
def test_no_additions(text: str) -> None:
    assert not adds(text)
