"""Answers from the decision tables: "which database for a desktop app?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mybro import vocabulary
from mybro.rules.layers import data
from mybro.rules.model import RuleSet

GUIDE = "codegen_decision_logic.md"
_SMALL = vocabulary.words("rules")["small"]
_CHOOSING = re.compile(
    r"\W*(?:(?:so|and|ok|okay|hey|please)\W+)*"
    r"(?P<asked>which\b.*\bfor\b.*|(?:which|what)\b.*\b(?:we|i|you|to)\s+(?:use|choose|pick|take|recommend)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 200
_SAME = {
    "application": "app",
    "caching": "cache",
    "auth": "authentication",
    "db": "database",
    "login": "authentication",
    "signin": "authentication",
}


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
    spoken = {row: _spoken(row) for row in rows}
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


def asks(question: str) -> bool:
    """Whether it may be a question what to choose."""
    return len(question) <= _LONGEST and _CHOOSING.match(question) is not None


def clear(question: str, rules: RuleSet) -> Decision | None:
    """The one answer to a question what to choose; None where it asks something else, or there is no one row
    that knows every word of it.
    """
    choosing = _CHOOSING.match(question) if len(question) <= _LONGEST else None
    if choosing is None:
        return None
    asked = _words(choosing["asked"])
    rows = [row for row in decide(choosing["asked"], rules) if asked <= _spoken(row)]
    if not asked or not rows:
        return None
    fewest = min(len(_words(row.need) - asked) for row in rows)
    nearest = [row for row in rows if len(_words(row.need) - asked) == fewest]
    return nearest[0] if len({row.choose for row in nearest}) == 1 else None


def _spoken(row: Decision) -> frozenset[str]:
    """What one says to ask for a row."""
    return _words(f"{row.topic.replace('-', ' ')} {row.need}")


def _words(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(_stem(word) for word in found if word not in _SMALL)


def _stem(word: str) -> str:
    word = _SAME.get(word, word)
    for ending in ("ies", "ing", "es", "s"):
        if len(word) > len(ending) + 2 and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
