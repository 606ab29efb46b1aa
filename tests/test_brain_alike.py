"""Short sentences known by their sound, hesitations, and commas in names: what recognisers make of speech."""

from __future__ import annotations

import pytest

from mybro.brain.alike import command
from mybro.brain.grammar import control_action, parse
from mybro.intent import Action

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("heard", "action"),
    [
        ("Council.", Action.CANCEL), ("Repeat mat.", Action.REPEAT), ("Undo bat", Action.UNDO),
        ("mood", Action.MUTE), ("I run the tests.", Action.TEST),
        ("I'm show me the git diff, please.", Action.DIFF),
        ("Rename parse, date to parse time.", Action.RENAME),
        ("He calls render page.", Action.FIND_USAGES), ("Run the tests in test parser.py.", Action.TEST),
        ("Health.", Action.HELP), ("Voice.", Action.PAUSE), ("Use yourself.", Action.MUTE),
        ("Convert the last change.", Action.UNDO),
        ("and new three changes", Action.UNDO), ("End of the last two changes.", Action.UNDO),
    ],
)  # fmt: skip
def test_what_was_meant_is_found(heard: str, action: Action) -> None:
    intent = parse(heard)
    assert intent is not None and intent.action is action


@pytest.mark.parametrize(
    "heard",
    ["Shop.", "I'm good", "I'm fine", "A new", "US, please", "Status Quo", "Undo tests", "Git",
     "I push",
     "a test", "it", "Thanks", "find usages of foo, and fix them", "the parser", "no match", "guess", "yet"],
)  # fmt: skip
def test_what_only_resembles_a_command_is_none(heard: str) -> None:
    intent = parse(heard)
    assert intent is None or intent.action is Action.NO


def test_neither_a_yes_nor_a_no_is_ever_guessed() -> None:
    for word in ("yea", "yet", "yen", "guess", "know", "now", "knot", "go head", "go a", "your"):
        guessed = command(word.split())
        assert guessed is None or control_action(guessed) not in (Action.YES, Action.NO)


@pytest.mark.parametrize(
    ("heard", "same"),
    [
        ("Run the tests, run the tests.", "run the tests"),
        ("Git user? Rename git user to fetch user.", ""),
        ("Rename the function git user to fetch user.", "rename the function get user to fetch user"),
        ("Find all usages of git commit.", "find all usages of git commit"),
        ("Create a new branch, call fix the parser.", "create a new branch called fix the parser"),
        ("and FastAPI to the project.", "add fast api to the project"),
        ("and logging to the project", ""),
        ("Switch to agent 2.", "switch to agent two"), ("Talk to agent to.", "talk to agent two"),
        ("Switch to code x.", "switch to codex"), ("New project called 2.", "new project called 2"),
    ],
)  # fmt: skip
def test_names_and_numbers_come_to_the_same_however_they_are_heard(heard: str, same: str) -> None:
    one, other = parse(heard), parse(same)
    assert (one is None) == (not same)
    if one is not None and other is not None:
        assert (one.action, one.arguments) == (other.action, other.arguments)


@pytest.mark.parametrize(
    ("heard", "path"),
    [
        ("Run the tests in test parser.py.", "test_parser.py"),
        ("diff of user service.ts", "user_service.ts"),
        ("lint main.py", "main.py"), ("run the tests in api and main.py", None),
    ],
)  # fmt: skip
def test_a_file_that_was_written_by_half_is_whole(heard: str, path: str | None) -> None:
    intent = parse(heard)
    assert (intent.arguments.path if intent else None) == path
