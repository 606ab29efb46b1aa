"""Spoken names and paths as code writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.naming import candidates, parts, path

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("main dot py", "main.py"),
        ("the file main dot py", "main.py"),
        ("main dot p y", "main.py"),
        ("utils dot pie", "utils.py"),
        ("package dot jason", "package.json"),
        ("source slash app dot t s", "source/app.ts"),
        ("source slash app dot ts", "source/app.ts"),
        ("test underscore main dot py", "test_main.py"),
        ("dunder init dot py", "__init__.py"),
        ("date parser dot py", "date_parser.py"),
        ("login form dot tsx", "LoginForm.tsx"),
        ("docker dash compose dot yaml", "docker-compose.yaml"),
        ("dot env", ".env"),
        ("source slash", "source/"),
        ("main.py", "main.py"),
        ("src/app.ts", "src/app.ts"),
        ("the file src/app.ts", "src/app.ts"),
        ("~/notes.txt", "~/notes.txt"),
    ],
)
def test_a_spoken_path_is_written_out(spoken: str, written: str) -> None:
    assert path(spoken) == written


@pytest.mark.parametrize(
    "spoken",
    ["", "the", "the parser module", "config loader", "date in main dot py", "main dot py as iso",
     "see main.py e.g", "everything", "dot", "a dot b c d e f g", "x " * 40],
)  # fmt: skip
def test_what_is_no_path_is_none(spoken: str) -> None:
    assert path(spoken) is None


@pytest.mark.parametrize(
    ("spoken", "among"),
    [
        ("user id", ["user_id", "userId", "UserId", "userID", "USER_ID", "user-id"]),
        ("get user underscore name", ["get_user_name", "getUserName"]),
        ("HTTP server", ["http_server", "httpServer", "HTTPServer"]),
        ("userId", ["userId", "user_id"]),
        ("dunder init", ["__init__"]),
    ],
)
def test_a_spoken_name_has_every_usual_spelling(spoken: str, among: list[str]) -> None:
    found = candidates(spoken)
    assert [name for name in among if name not in found] == []
    assert len(found) == len(set(found))


def test_an_identifier_comes_first_as_it_is() -> None:
    assert candidates("fetchUserId")[0] == "fetchUserId"


@pytest.mark.parametrize(
    ("spoken", "first"),
    [
        ("snake case user id", "user_id"),
        ("camel case user id", "userId"),
        ("pascal case user id", "UserId"),
        ("screaming case user id", "USER_ID"),
        ("constant case user id", "USER_ID"),
        ("kebab case user id", "user-id"),
        ("case user id", "case_user_id"),
    ],
)
def test_a_style_that_is_named_comes_first(spoken: str, first: str) -> None:
    assert candidates(spoken)[0] == first


def test_the_parts_of_a_name() -> None:
    assert parts("getHTTPResponse_code-now") == ["get", "http", "response", "code", "now"]
    assert candidates("...") == []


@given(st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=4))
def test_every_spelling_has_the_same_parts(words: list[str]) -> None:
    spoken = " ".join(words)
    joined = "".join(parts(spoken))
    for name in candidates(spoken):
        assert "".join(parts(name.strip("_"))) == joined or "dunder" in words


@given(st.text(max_size=120))
def test_no_text_is_an_error(text: str) -> None:
    found = path(text)
    assert found is None or found
    candidates(text)
