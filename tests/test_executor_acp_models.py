"""What agents offer as models, in the forms that are in use."""

from __future__ import annotations

import pytest

from mybro.executor.acp.models import Offer, match, offered

pytestmark = pytest.mark.unit

MODELS = (("default", "Default"), ("claude-opus-5", "Opus 5"), ("haiku", "Haiku"), ("gpt-mini", "Small"))
OPTION = {
    "id": "which", "category": "model", "type": "select", "currentValue": "default",
    "options": [
        {"value": "default", "name": "Default"},
        {"name": "More", "options": [
            {"value": "claude-opus-5", "name": "Opus 5"}, {"value": "haiku", "name": "Haiku"},
        ]},
        {"value": "gpt-mini", "name": "Small"},
        "nonsense",
    ],
}  # fmt: skip


def test_an_option_of_the_session() -> None:
    mode = {"id": "mode", "category": "mode", "type": "select", "options": []}
    assert offered({"configOptions": [mode, OPTION]}) == Offer(MODELS, "default", "which")


def test_the_older_way() -> None:
    models = [{"modelId": value, "name": name} for value, name in MODELS]
    told = {"models": {"availableModels": models, "currentModelId": "haiku"}}
    assert offered(told) == Offer(MODELS, "haiku", None)


@pytest.mark.parametrize("told", [{}, {"configOptions": None}, {"configOptions": [3]}, {"models": "x"}])
def test_no_choice(told: dict[str, object]) -> None:
    assert offered(told) is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("haiku", "haiku"),
        ("Haiku", "haiku"),
        ("opus", "claude-opus-5"),
        ("Opus 5", "claude-opus-5"),
        ("small", "gpt-mini"),
        ("sonnet", None),
    ],
)
def test_a_model_is_found_by_name_or_by_a_part_of_it(wanted: str, found: str | None) -> None:
    assert match(Offer(MODELS, "default", None), wanted) == found
