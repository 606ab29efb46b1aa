"""What a recogniser is told to expect: software words, the person's own, and names in Latin script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

PROMPT_TOKENS = 160
"""Whisper takes up to 223 tokens of prompt; each costs time, and those beyond this gain next to nothing."""

_SOFTWARE = (
    "Voice commands to a programmer's assistant. Undo, run the tests, git diff, commit, pull request, "
    "refactor. Create a function in utils.py; add unit tests, type hints, a docstring; async, await, JSON, "
    "regex, README, TypeScript."
)
"""Twice as many words gain nothing, since the readings are weighed by what is expected anyway."""
_NAMES = (
    "main.py, index.ts, README.md, pytest, git commit, pull request, npm, pip, async, await, API, JSON, "
    "YAML, SQL, Docker, PostgreSQL, React, TypeScript, Rust."
)


def prompt_for(language: str, extra: str = "", *, latin_names: bool = True) -> str:
    """The prompt for a language setting ("en", "de", "auto"...).

    In other languages than English the prompt is a list of names in Latin script, which the model then
    does not transliterate; without `latin_names` it is empty there. `extra` stands last, where it weighs
    most.
    """
    base = _SOFTWARE if language == "en" else _NAMES if latin_names else ""
    return " ".join(part for part in (base, extra.strip()) if part)


def clip(prompt: str, encode: Callable[[str], Sequence[int]], limit: int = PROMPT_TOKENS) -> list[int]:
    """The prompt's tokens, whole words dropped from the front until at most `limit` are left."""
    words = prompt.split()
    tokens = list(encode(" " + " ".join(words))) if words else []
    while len(tokens) > limit:
        # Dropping in proportion to the excess needs few rounds of encoding.
        words = words[max(1, len(words) * (len(tokens) - limit) // len(tokens)) :]
        tokens = list(encode(" " + " ".join(words))) if words else []
    return tokens


def token_limit(seconds: float) -> int:
    """How many tokens a stretch of speech can hold: more would be a loop."""
    return min(224, 32 + int(12 * seconds))
