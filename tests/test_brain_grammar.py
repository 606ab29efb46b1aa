"""The local grammar: labelled sentences, and what holds for every sentence."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.brain.classify import classify
from mybro.brain.grammar import control_action, parse
from mybro.brain.templates import compile_rules, load
from mybro.intent import CONTROL, Action, Intent

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parent
SENTENCES: list[dict[str, Any]] = [
    json.loads(line) for line in (FOLDER / "data" / "sentences.jsonl").read_text().splitlines()
]
COMMANDS = [row for row in SENTENCES if row["kind"] in ("control", "local")]
OTHERS = [row for row in SENTENCES if row["kind"] not in ("control", "local")]
PLAIN = [row["text"] for row in COMMANDS if row["group"] == "positive" and "arguments" not in row]


def given_arguments(intent: Intent) -> dict[str, Any]:
    return intent.arguments.model_dump(exclude_none=True)


def wrong(row: dict[str, Any]) -> str | None:
    """What is not as the label says; None where all is."""
    found = parse(row["text"])
    if row["kind"] not in ("control", "local") and found is not None:
        return f"fired: {found.action}"
    found = found or classify(row["text"])
    if (found.kind, found.action) != (row["kind"], row.get("action")):
        return f"{found.kind} {found.action}"
    labelled = row["group"] in ("positive", "near-miss") and row["kind"] in ("control", "local")
    if labelled and given_arguments(found) != row.get("arguments", {}):
        return f"arguments {given_arguments(found)}"
    if found.needs_confirmation != row.get("confirm", False):
        return f"confirmation {found.needs_confirmation}, risk {found.risk}"
    return None


@pytest.mark.parametrize("group", sorted({row["group"] for row in SENTENCES}))
def test_every_labelled_sentence_is_understood(group: str) -> None:
    rows = [row for row in SENTENCES if row["group"] == group]
    assert {row["text"]: fault for row in rows if (fault := wrong(row)) is not None} == {}


def test_the_labels_cover_every_action_and_enough_of_everything_else() -> None:
    assert {row["action"] for row in COMMANDS} == {str(action) for action in Action}
    assert len(SENTENCES) >= 1_000
    assert len(OTHERS) >= 300


def test_the_recorded_sentences_are_understood() -> None:
    rows = [json.loads(line) for line in (FOLDER / "audio" / "dev.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "intent" in row]
    assert len(rows) >= 30
    for row in rows:
        found = parse(row["text"]) or classify(row["text"])
        assert (found.kind, found.action) == (row["intent"]["kind"], row["intent"].get("action")), row["text"]


@pytest.mark.parametrize(
    "row", [row for row in COMMANDS if row["kind"] == "control"], ids=lambda row: row["text"]
)
def test_control_words_are_told_apart_without_the_rest(row: dict[str, Any]) -> None:
    assert control_action(row["text"]) == row["action"]


def test_local_commands_and_requests_are_no_control_words() -> None:
    rows = [row for row in SENTENCES if row["kind"] != "control"]
    assert [row["text"] for row in rows if control_action(row["text"]) is not None] == []


def some_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word.strip() for word in words.split("|")])


POLITE = some_of("um|uh,|please|hey|okay so|so|well|can you|could you please|now")
THANKFUL = some_of("please|thanks|for me|right now|um|thank you.")
ENDINGS = some_of("|.|!|...|?| ,")
CASINGS = st.sampled_from([str.lower, str.upper, str.capitalize, str.title])


@given(
    st.sampled_from(PLAIN),
    st.lists(POLITE, max_size=3),
    st.lists(THANKFUL, max_size=2),
    ENDINGS,
    CASINGS,
)
def test_politeness_punctuation_and_casing_change_nothing(
    text: str, front: list[str], back: list[str], ending: str, casing: Any
) -> None:
    plain = parse(text)
    said = casing(" ".join([*front, text.rstrip(".!?"), *back]) + ending)
    polite = parse(said)
    assert plain is not None
    assert polite is not None, said
    assert (polite.action, given_arguments(polite)) == (plain.action, given_arguments(plain)), said


CONTENT = some_of(
    "parser|button|login|server|page|module|function|database|handler|stream|list|of|the|for|with|when|in|every"
    "|customer|order|video|timer|loop|request|upload|dialog|empty|user|and|async|python|config|error"
)
VERBS = some_of("add|create|implement|write|refactor|remove|make|document|extend|fix|move|explain")
CONTROLS = st.sampled_from([row["text"] for row in COMMANDS if row["kind"] == "control"])


@given(VERBS, st.lists(CONTENT, min_size=1, max_size=3), CONTROLS, st.lists(CONTENT, max_size=4))
def test_a_control_word_within_a_request_is_no_control(
    verb: str, first: list[str], control: str, last: list[str]
) -> None:
    text = " ".join([verb, "a", *first, control.rstrip(".!?"), *last])
    assert control_action(text) is None, text
    found = parse(text)
    assert found is None or found.action not in CONTROL, text


@given(
    st.sampled_from(
        [
            "stop",
            "pause",
            "cancel",
            "undo",
            "redo",
            "repeat",
            "mute",
            "quit",
            "help",
            "resume",
            "yes",
            "no",
            "status",
        ]
    ),
    st.sampled_from(
        ["server", "parser", "upload", "video", "subscription", "button", "page", "customer", "animation"]
    ),
    st.lists(CONTENT, min_size=2, max_size=6),
)
def test_a_control_word_that_begins_a_request_is_no_control(control: str, noun: str, rest: list[str]) -> None:
    text = " ".join([control, "the", noun, *rest])
    assert control_action(text) is None, text


@given(st.text(max_size=300))
def test_no_text_is_an_error(text: str) -> None:
    first, second = parse(text), parse(text)
    assert first == second
    control_action(text)
    classify(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "stop",
                "run",
                "the",
                "tests",
                "to",
                "rename",
                "in",
                "please",
                "and",
                "yes",
                "no",
                "undo",
                "commit",
                "message",
                "um",
                "push",
            ]
        ),
        max_size=70,
    )
)
def test_no_pile_of_command_words_is_an_error(words: list[str]) -> None:
    text = " ".join(words)
    found = parse(text)
    if found is not None:
        assert found.text == text
        assert found.kind == ("control" if found.action in CONTROL else "local")


@pytest.mark.parametrize(
    "text", ["", " ", "?!", "stop " * 2_000, "x" * 10_000, "\x00\ud800", "stop\n" * 200, "«»" * 999]
)
def test_what_is_too_long_or_no_words_is_nothing(text: str) -> None:
    assert parse(text) is None
    assert control_action(text) is None


@pytest.mark.parametrize(
    ("front", "unit"),
    [("rename ", "to "), ("find ", "the "), ("run the ", "tests "), ("push ", "to main "), ("commit ", "the changes "),  # noqa: E501
     ("undo ", "the last "), ("", "please okay so "), ("", "no "), ("create a ", "new project ")],
)  # fmt: skip
def test_time_grows_no_faster_than_the_sentence(front: str, unit: str) -> None:
    def seconds(repeats: int) -> float:
        text = front + unit * repeats + "x"
        parse(text)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            parse(text)
            times.append(time.perf_counter() - start)
        return min(times)

    repeats = 24 // len(unit.split())
    # Backtracking that doubles with every word would take thousands of times as long.
    assert seconds(2 * repeats) < 16 * seconds(repeats) + 0.005


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Stop it! Stop!", "stop"),
        ("stop it stop please stop", "stop"),
        ("Okay, never mind.", "cancel"),
        ("Yes. No. Wait, no.", "no"),
        ("Stop, yes, stop.", "stop"),
        ("wait, undo that", "undo"),
        ("no no no stop", "stop"),
    ],
)
def test_several_control_words_are_one(text: str, action: str) -> None:
    assert control_action(text) == action


def test_every_word_of_a_rule_can_begin_it_and_no_rule_is_empty() -> None:
    for rule in load("control", "git", "work"):
        assert rule.first
        assert rule.pattern.fullmatch("") is None


@pytest.mark.parametrize("template", ["(a|b", "a]", "[a]", "<x>", "[a] <x>"])
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        compile_rules(f"== stop\n{template}\n", {})


def test_the_template_language() -> None:
    macros: dict[str, str] = {}
    source = (
        "# a comment\n{two} = b|c\n  |d e\n== rename\nrun [the] {two} <old_name>\n  to <new_name: x|y z>\n"
    )
    (rule,) = compile_rules(source, macros)
    match = rule.pattern.fullmatch("run the d e some thing to y z ")
    assert match is not None
    assert (match["old_name"], match["new_name"]) == ("some thing ", "y z ")
    assert rule.pattern.fullmatch("run b some thing to q ") is None
    assert (rule.action, rule.literal, rule.first) == (Action.RENAME, False, frozenset({"run"}))


def test_an_intent_keeps_the_sentence_as_it_was_said() -> None:
    found = parse("Um, could you RUN the tests?")
    assert found is not None
    assert found.text == "Um, could you RUN the tests?"
    assert (found.source, found.confidence) == ("grammar", 1.0)


def test_names_and_messages_keep_their_spelling() -> None:
    renamed = parse("Rename getUserID to fetchUser, please.")
    assert renamed is not None
    assert (renamed.arguments.old_name, renamed.arguments.new_name) == ("getUserID", "fetchUser")
    committed = parse('Commit this with the message "Fix: don\'t crash, ever (again)".')
    assert committed is not None
    assert committed.arguments.message == "Fix: don't crash, ever (again)"


def test_a_message_that_asks_for_a_push_is_no_message() -> None:
    assert parse("commit with the message fix login and push") is None


def test_a_name_that_goes_on_as_a_sentence_is_no_name() -> None:
    for text in (
        "create a branch called fix and push it",
        "create a new project called shop that sells cars",
        "rename it to foo",
        "rename user id to account id because it is clearer",
        "find all usages of foo and remove them",
        "create branch protection rules",
        "format the date in main dot py as iso",
        "switch to the branch that has the fix",
    ):
        assert parse(text) is None, text
