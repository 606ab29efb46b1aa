"""TOML that was written to be slow, or to break."""

from __future__ import annotations

import tomllib

import pytest

from mybro.ops import toml

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\n" + "a." * 1_000_000 + "a = 1",
        "[" + "a . " * 500_000 + "a]",
        "x = {" + '"a".' * 500_000 + "a = 1}",
        "a = " + "[" * 100_000,
        "a = " + "{a = " * 20_000,
    ],
    ids=["key", "table", "inline", "arrays", "tables"],
)
def test_what_would_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        toml.parse(text)


@pytest.mark.parametrize("text", ["", "[tool.a.b]\nc.d = '1.2.3'\nlist = [" + "'1.2.3', " * 2000 + "]"])
def test_the_rest_is_read_as_ever(text: str) -> None:
    assert toml.parse(text) == tomllib.loads(text)


def test_the_line_is_told() -> None:
    with pytest.raises(toml.UnreadableError, match="at line 3"):
        toml.parse("a = 1\n\n" + "b." * 200 + "b = 1")
