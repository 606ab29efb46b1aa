"""The rules of a repository where an agent works: told to it, and held against what it has written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from mybro.errors import RulesError
from mybro.executor.words import listed
from mybro.executor.written import Written
from mybro.rules import brief
from mybro.rules.check import newly_broken, rules_before
from mybro.rules.layers import load
from mybro.rules.model import Violation
from mybro.rules.sightings import OTHERS_WORK

_LAST_WORDS = "Then say in one or two short plain sentences what stands there now: they are spoken aloud."


def brief_for(repo: Path) -> str:
    """What to add to an agent's instructions; empty where the rules cannot be read."""
    try:
        return brief.brief(load(repo), _today())
    except RulesError:
        return ""


def trouble(repo: Path) -> str:
    """Why the rules cannot be read; empty where they can."""
    try:
        load(repo)
    except RulesError as error:
        return error.message
    return ""


def broken_by(repo: Path, written: Written) -> list[Violation]:
    """What of it breaks the rules as they were before; nothing where those cannot be read."""
    own = {path for path in written.before if OTHERS_WORK.isdisjoint(path.split("/")[:-1])}
    before = {path: written.before[path] for path in own}
    after = {path: written.after[path] for path in own}
    try:
        return newly_broken(before, after, rules_before(repo, written.before), today=_today())
    except RulesError:
        return []


def to_mend(broken: Sequence[Violation]) -> str:
    """The prompt of the one turn in which the agent may put it right."""
    return f"{brief.mend(broken)}\n{_LAST_WORDS}"


def told(broken: Sequence[Violation]) -> str:
    """What a person is told: "It uses Flask, which your rules forbid." """
    names = list(dict.fromkeys(each.sighting.technology for each in broken))
    return f"It uses {listed(names)}, which your rules forbid." if names else ""


def listing(broken: Sequence[Violation]) -> str:
    """The same in full, a line each."""
    return "\n".join(f"{each.sentence()} [{each.rule.id}]" for each in broken)


def _today() -> date:
    return datetime.now(UTC).astimezone().date()
