"""Names put where they were heard as English, and nothing else changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.brain.grammar import control_action, parse
from mybro.index.lexicon import Lexicon
from mybro.transcribe.correction import Corrected, correct
from mybro.transcribe.names import phrases, settled_by
from tests.audio_tools import AUDIO

pytestmark = pytest.mark.unit

NAMES = [
    ("user_id", "variable", 9), ("parse_date", "function", 5), ("render_message", "method", 4),
    ("main.py", "path", 3), ("turns.py", "path", 3), (".env", "path", 1),
    ("mybro/pipeline/turns.py", "path", 2),
    ("UserAccount", "class", 4), ("HttpClient", "class", 3), ("QueryParams", "class", 3),
    ("MAX_RETRIES", "constant", 3), ("is_async", "variable", 2), ("new_line", "variable", 2),
    ("Headers", "class", 3), ("headers", "variable", 30), ("stream_mixer", "function", 2),
    ("StreamMixer", "class", 2),
    ("utf8_length", "function", 2), ("feature/login-form", "branch", 4), ("node-fetch", "dependency", 3),
    ("COMMANDLINE", "constant", 2), ("tokenizer", "variable", 2), ("Tokenizer", "class", 2),
    ("stop", "function", 5), ("undo_that", "function", 5), ("run_tests", "function", 9),
    ("color_distance", "function", 2), ("yes", "variable", 5), ("dot_product", "function", 9),
    ("_overhaul", "method", 2), ("_private_thing", "function", 2), ("normalized_key", "variable", 3),
]  # fmt: skip
LEXICON = Lexicon([*NAMES, *phrases()])
SETTLED = settled_by(parse)


def corrected(text: str) -> Corrected:
    return correct(text, LEXICON, settled=SETTLED)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Rename the variable user ID to account ID.", "Rename the variable user_id to account ID."),
        ("rename userID to account id", "rename user_id to account id"),
        ("Rename pars date to parse time", "Rename parse_date to parse time"),
        ("Add a docstring to pars date.", "Add a docstring to parse_date."),
        ("Open main dot pie", "Open main.py"),
        ("open main.pi", "open main.py"),
        ("Open the file, turns.pie.", "Open the file, turns.py."),
        ("show me mybro slash pipeline slash turns dot py", "show me mybro/pipeline/turns.py"),
        ("Where is max retries defined?", "Where is MAX_RETRIES defined?"),
        ("the class user account is too long", "the class UserAccount is too long"),
        ("Add type hints to the http client class", "Add type hints to the HttpClient class"),
        ("Add a docstring to the class query parents.", "Add a docstring to the class QueryParams."),
        ("Explain the headers class.", "Explain the Headers class."),
        ("why is utf8 length wrong", "why is utf8_length wrong"),
        ("Where is command line used?", "Where is COMMANDLINE used?"),
        ("Mock, color, distance in the tests.", "Mock, color_distance in the tests."),
        ("call user underscore id here", "call user_id here"),
        ("and a docstring to render massage", "and a docstring to render_message"),
        ("write a unit test for private thing", "write a unit test for _private_thing"),
        ("Add a docstring to overhaul.", "Add a docstring to _overhaul."),
        ("where is normalize key set", "where is normalized_key set"),
        ("switch to the branch feature slash login form", "switch to the branch feature/login-form"),
        ("add a doc string to the function", "add a docstring to the function"),
    ],
)
def test_names_are_written_as_the_repository_writes_them(heard: str, meant: str) -> None:
    assert corrected(heard).text == meant


@pytest.mark.parametrize(
    "heard",
    [
        "run the tests", "Stop.", "undo that", "yes", "no", "Yes, go ahead.", "stop it", "cancel",
        "run tests please",
        "He had a user id for the session.",
        "and so my fellow americans ask not what your country can do for you",
        "Create a new file called utils dot py with a function that parses dates",
        "create a file named terms.py", "Refactor the database class to use async functions",
        "add a new line to the letter", "use a dictionary instead of a list here",
        "take the second road on the left",
        "open the window because it is warm", "rename it to account id", "what time is it", "", " ", ".",
        "...",
        "the head of the state", "find a good place for the table", "make it a list",
        "explain to me what the dot product is", "a slash in the middle",
    ],
)  # fmt: skip
def test_what_names_nothing_stays_as_it_was_heard(heard: str) -> None:
    assert corrected(heard) == Corrected(heard)


def test_ordinary_speech_of_people_is_never_changed() -> None:
    rows = [json.loads(line) for line in (AUDIO / "dev.jsonl").read_text().splitlines()]
    texts = [row["text"] for row in rows if row["kind"].startswith("human")]
    assert len(texts) >= 6 and [corrected(text).text for text in texts] == texts


def test_names_that_are_as_likely_stay_as_spoken_and_are_told() -> None:
    found = corrected("find all usages of stream mixer")
    assert found.text == "find all usages of stream mixer" and not found.changes
    assert set(found.alternatives) == {"stream_mixer", "StreamMixer"}
    # What stands beside them decides.
    assert corrected("explain the class stream mixer").text == "explain the class StreamMixer"
    assert corrected("call the function stream mixer").text == "call the function stream_mixer"


def test_a_change_tells_what_was_heard_and_where() -> None:
    text = "Rename pars date, please."
    (change,) = corrected(text).changes
    assert text[change.start : change.end] == change.heard == "pars date"
    assert change.written == "parse_date" and 0.8 < change.likeness <= 1


def test_no_correction_makes_a_command_that_steers() -> None:
    # A repository may hold any name, also one that is a control word.
    for text in ("call stub", "fix undue that", "call undo that", "open yes", "rename stop to halt"):
        before, after = control_action(text), control_action(corrected(text).text)
        assert before == after, text


def test_without_names_nothing_is_done_and_a_report_is_left_alone() -> None:
    assert correct("rename pars date", Lexicon([])).text == "rename pars date"
    report = "rename pars date " * 40
    assert corrected(report).text == report


def test_software_words_are_known_without_a_repository(tmp_path: Path) -> None:
    plain = Lexicon(phrases())
    assert correct("convert this to a sync await", plain).text == "convert this to async await"
    assert correct("show me the git diff", plain).text == "show me the git diff"
