"""Which answer is meant, as people say it and recognisers write it."""

from __future__ import annotations

import pytest

from mybro.brain.choosing import choose

pytestmark = pytest.mark.unit

COLOURS = ("Blue", "Red", "Dark green")
FRAMEWORKS = ("FastAPI (Recommended)", "Flask", "Django REST framework")


@pytest.mark.parametrize(
    ("text", "labels", "index"),
    [
        ("Blue.", COLOURS, 0),
        ("the red one please", COLOURS, 1),
        ("I'd go with dark green", COLOURS, 2),
        ("green", COLOURS, 2),
        ("the second one", COLOURS, 1),
        ("number three", COLOURS, 2),
        ("Option 1", COLOURS, 0),
        ("two", COLOURS, 1),
        ("Two. Two.", COLOURS, 1),
        ("the last one", COLOURS, 2),
        ("fast api", FRAMEWORKS, 0),
        ("Use fast A.P.I.", FRAMEWORKS, 0),
        ("flasks", FRAMEWORKS, 1),
        ("django", FRAMEWORKS, 2),
        ("the first", FRAMEWORKS, 0),
        ("one", COLOURS, 0),
        ("", COLOURS, None),
        ("yes", COLOURS, None),
        ("the fourth", COLOURS, None),
        ("purple", COLOURS, None),
        ("red or blue", COLOURS, None),
        ("blue", (), None),
    ],
)
def test_the_answer_that_is_meant(text: str, labels: tuple[str, ...], index: int | None) -> None:
    assert choose(text, labels) == index
