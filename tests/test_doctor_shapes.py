"""The Rust engine looks at all files for the doctor, and finds what Python alone finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mybro.doctor import facts
from mybro.doctor.own import triggers
from mybro.doctor.own.sweep import LANGUAGES, PER_FILE
from mybro.doctor.shapes import Shape, for_engine
from mybro.doctor.survey import Survey
from tests.doctor_shapes_scene import asked, plant
from tests.engine_scene import fast_and_slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shapes")
    plant(root)
    return root


@pytest.mark.end_to_end
def test_with_the_engine_the_same_is_found(scene: Path) -> None:
    fast, slow = fast_and_slow("tests.doctor_shapes_scene", scene)
    assert sum(map(len, slow["found"].values())) > 300
    assert fast["found"] == slow["found"]
    assert fast["unexamined"] == slow["unexamined"]
    assert fast["missed"] == slow["missed"] == []
    assert fast["marks"] * 5 < slow["marks"], "the engine's marks are few"


@pytest.mark.unit
def test_every_shape_can_be_said_to_the_engine(tmp_path: Path) -> None:
    shapes = asked(facts.look(tmp_path))
    assert len(shapes) > 100
    for shape in shapes:
        assert shape.words
        assert for_engine(shape) is not None, shape.patterns


@pytest.mark.unit
@pytest.mark.parametrize(
    ("pattern", "rust"),
    [
        (rb"a(?=b)(?!c)(?<=d)", r"\x61"),
        (rb"(['\"])x\1", r"([\x27\x22])\x78(?:[\x27\x22])"),
        (rb"(?i)k[^a-c\d]", r"(?i:\x6b)(?i:[^\x61-\x63\d])"),
        (rb"(?m)^.$", r"(?m:^)[^\n](?m:$)"),
        (rb"^a$\Z\b", r"\A\x61\z\b"),
        (rb"(?s).{3,9}?", r"(?:[\x00-\xff]){3,}?"),
        (rb"\w{99}(?:ab|\S)*+", r"(?:[\w]){40,}(?:(?:\x61\x62|[\S])){0,}"),
    ],
)
def test_a_pattern_in_the_engine_s_syntax(pattern: bytes, rust: str) -> None:
    assert for_engine(Shape((b"a",), (re.compile(pattern),))) == [rust]


@pytest.mark.unit
def test_what_the_engine_s_syntax_cannot_say_is_left_to_words() -> None:
    shape = Shape((b"word",), (re.compile(rb"(a)?(?(1)b|c)word"),))
    assert for_engine(shape) is None
    files = {"here": b"a word", "there": b"none"}
    seen = Survey(files.get, files, lambda: [b"word", shape])
    assert seen.may_have("here", (shape,)) and not seen.may_have("there", (shape,))
    unasked = Survey(files.get, files, list)
    assert unasked.may_have("there", (shape,))


@pytest.mark.unit
@pytest.mark.parametrize("rule", PER_FILE)
def test_a_check_asks_for_the_very_shapes_that_were_looked_for(rule: str) -> None:
    looked_for = {one for one in triggers.words(PER_FILE) if isinstance(one, Shape)}
    for language in LANGUAGES.get(rule, ("python", "shell", "yaml")):
        groups = triggers.groups(rule, language)
        assert all(one in looked_for for group in groups for one in group if isinstance(one, Shape))
