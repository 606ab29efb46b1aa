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
    """What of it breaks the rules as they were before; nothing where those cannot be read.

    What was moved from a file that is gone is not new.
    """
    own = {path for path in written.before if OTHERS_WORK.isdisjoint(path.split("/")[:-1])}
    before = {path: written.before[path] for path in own}
    after = {path: written.after[path] for path in own}
    gone = {path: text for path, text in before.items() if after[path] is None}
    try:
        rules = rules_before(repo, written.before)
        moved = {_seen(each) for each in newly_broken({}, gone, rules, today=_today())}
        found = newly_broken(before, after, rules, today=_today())
    except RulesError:
        return []
    return [each for each in found if _seen(each) not in moved]


def _seen(broken: Violation) -> tuple[str, str]:
    return broken.sighting.technology, broken.sighting.evidence


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
