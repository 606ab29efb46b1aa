"""Answers from the decision tables: "which database for a desktop app?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mybro import vocabulary
from mybro.rules.layers import data
from mybro.rules.model import RuleSet

GUIDE = "codegen_decision_logic.md"
_SMALL = vocabulary.words("rules")["small"]
_SAME = {"auth": "authentication", "db": "database", "login": "authentication", "signin": "authentication"}


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of a table."""

    topic: str
    """The table's heading: "Database"."""
    need: str
    choose: str
    because: str

    def sentence(self) -> str:
        return f"{self.choose}: {self.because}" if self.because else self.choose


def tables(text: str | None = None) -> list[Decision]:
    """The rows of every table in the guide, with the heading above it."""
    topic, rows = "", []
    for line in (data(GUIDE) if text is None else text).splitlines():
        if line.startswith("#"):
            topic = line.lstrip("#").strip()
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        header = not line.startswith("|") or set(line) <= set("|-: ") or cells[0] == "When you need"
        if not header and len(cells) == 3:
            rows.append(Decision(topic, *cells))
    return rows


def decide(question: str, rules: RuleSet) -> list[Decision]:
    """The rows that answer a question, best first; none where nothing in the tables is about it.

    A row counts for the words that it shares with the question; a word that few rows have counts for more.
    A repository's own rule comes before the tables.
    """
    ours = [Decision(rule.id, rule.need, " or ".join(rule.use), rule.why) for rule in rules.rules if rule.use]
    rows = [*ours, *tables()]
    asked = _words(question)
    spoken = {row: _words(f"{row.topic.replace('-', ' ')} {row.need}") for row in rows}
    # What a table is about decides first: a question for a database is not answered from another table.
    topics = {row: _words(row.topic.partition(":")[0].replace("-", " ")) for row in rows}
    subjects = asked & frozenset(word for row in tables() for word in topics[row])
    about = [row for row in rows if subjects <= topics[row]] if subjects else []
    about = about or [row for row in rows if asked & spoken[row]]
    rarity = {word: 1 / (1 + sum(word in spoken[row] for row in about)) for word in asked}
    scores = {row: sum(rarity[word] for word in asked & spoken[row]) for row in about}
    best = max(scores.values(), default=0.0)
    close = [row for row in about if scores[row] >= best * 0.75]
    # Of two rows that share as much, the one that speaks of less else is the nearer one.
    return sorted(close, key=lambda row: (-scores[row], len(spoken[row] - asked)))


def _words(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(_stem(word) for word in found if word not in _SMALL)


def _stem(word: str) -> str:
    word = _SAME.get(word, word)
    for ending in ("ies", "ing", "es", "s"):
        if len(word) > len(ending) + 2 and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
