"""What a recogniser is told to expect, and how much of it fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.transcribe.prompt import PROMPT_TOKENS, clip, prompt_for, token_limit

pytestmark = pytest.mark.unit


def by_letter(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_english_gets_commands_and_other_languages_only_names_in_latin_script() -> None:
    assert "refactor" in prompt_for("en")
    for language in ("de", "ja", "auto"):
        assert "pytest" in prompt_for(language) and "refactor" not in prompt_for(language)
        assert prompt_for(language, latin_names=False) == ""
    assert prompt_for("en", latin_names=False) == prompt_for("en")


def test_ones_own_words_stand_last() -> None:
    assert prompt_for("en", "  Zabbix, Kubernetes ").endswith("TypeScript. Zabbix, Kubernetes")
    assert prompt_for("ja", "Zabbix", latin_names=False) == "Zabbix"


@given(st.lists(st.text("abc", min_size=1, max_size=12), max_size=120), st.integers(0, 200))
def test_a_prompt_loses_whole_words_from_its_front_until_it_fits(words: list[str], limit: int) -> None:
    kept = "".join(map(chr, clip(" ".join(words), by_letter, limit)))
    assert len(kept) <= limit
    left = kept.split()
    assert left == words[len(words) - len(left) :]


def test_a_prompt_that_fits_is_kept_whole() -> None:
    assert clip("  undo   that ", by_letter) == by_letter(" undo that")
    assert clip("", by_letter) == [] and PROMPT_TOKENS < 224


def test_the_limit_of_tokens_grows_with_the_sound_up_to_what_whisper_takes() -> None:
    assert [token_limit(seconds) for seconds in (0.0, 1.0, 10.0, 30.0)] == [32, 44, 152, 224]
