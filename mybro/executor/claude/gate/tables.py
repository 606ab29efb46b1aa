"""Calls that are told by their words alone: the tables of mybro.vocabulary.programs as rules."""

from __future__ import annotations

import re

from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import lines


def either(*rules: Rule) -> Rule:
    """The first rule that knows a command."""

    def rule(command: Command, place: Place) -> Reach | None:
        return next((reach for one in rules if (reach := one(command, place)) is not None), None)

    return rule


def calls_like(patterns: list[str], reach: Reach) -> Rule:
    """A rule for calls that match one of the patterns, with places in the repository only.

    `''` stands for a word that is empty or has blanks in it.
    """
    told = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))

    def rule(command: Command, place: Place) -> Reach | None:
        texts = [word.text for word in command.words[1:]]
        if any(text is None for text in texts):
            return None
        plain = ["''" if text is None or re.search(r"\s|^$", text) else text for text in texts]
        fine = told.fullmatch(" ".join(plain)) and all(_inside(text or "", place) for text in texts)
        return reach if fine else None

    return rule


def _inside(text: str, place: Place) -> bool:
    parts = text.split("=") if text.startswith("-") else [text]
    return all(re.search(r"\s|://", part) or place.reads(Word((part,))) for part in parts)


def _table(section: str, reach: Reach) -> dict[str, Rule]:
    found: dict[str, list[str]] = {}
    for line in lines("programs")[section]:
        names, _, pattern = line.partition(" : ")
        for name in names.split():
            found.setdefault(name, []).append(pattern.strip())
    return {name: calls_like(patterns, reach) for name, patterns in found.items()}


LOOKS = _table("LOOKS", Reach.READS)
WORKS = _table("WORKS", Reach.WRITES)


def merged(*tables: dict[str, Rule]) -> dict[str, Rule]:
    """All rules; where several know a name, the first that knows a command decides."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: either(*(table[name] for table in tables if name in table)) for name in names}
