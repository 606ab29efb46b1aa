"""How healthy, in numbers from 0 to 100."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mybro.doctor.check import Check, catalogue, families
from mybro.doctor.finding import LEVELS, Finding

_WEIGHT = {"high": 12.0, "medium": 4.0, "low": 0.8}
_SURE = {"high": 1.0, "medium": 0.7, "low": 0.4}
_FALLS = 35.0
"""The penalty after which a family's score has fallen to 37."""
_GRADES = ((90, "A"), (80, "B"), (65, "C"), (45, "D"), (0, "E"))


@dataclass(frozen=True, slots=True)
class Health:
    """One family's health, or the whole's."""

    name: str
    score: int
    """From 0 to 100."""
    counts: dict[str, int]
    """Severity to findings."""

    @property
    def grade(self) -> str:
        return next(letter for least, letter in _GRADES if self.score >= least)


def health(findings: Iterable[Finding], checks: dict[str, Check]) -> tuple[Health, list[Health]]:
    """The whole, and each family of which something was looked for.

    A family loses points for each kind of mistake by how grave and how sure it is; the same mistake many
    times weighs little more than once: it is one thing to learn. The whole lies half-way between the mean of
    the families and the worst of them: never outside of what they show, and not good where one is bad.
    """
    listed = list(findings)
    by_family: dict[str, list[Finding]] = {name: [] for name in families(checks.values())}
    for finding in listed:
        by_family.setdefault(catalogue()[finding.check].family, []).append(finding)
    exact = {name: _score(found) for name, found in by_family.items()}
    whole = (sum(exact.values()) / len(exact) + min(exact.values())) / 2 if exact else 100.0
    parts = [_health(name, exact[name], found) for name, found in by_family.items()]
    return _health("Health", whole, listed), parts


def _score(findings: list[Finding]) -> float:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.severity), []).append(finding)
    penalty = sum(
        _WEIGHT[severity] * max(_SURE[f.confidence] for f in found) * (1 + math.log2(len(found)) / 3)
        for (_, severity), found in groups.items()
    )
    return 100 * math.exp(-penalty / _FALLS)


def _health(name: str, score: float, findings: list[Finding]) -> Health:
    counts: Counter[str] = Counter(f.severity for f in findings)
    return Health(name, round(score), {level: counts[level] for level in LEVELS})


def most_important(findings: Iterable[Finding], count: int = 5) -> list[list[Finding]]:
    """The gravest and surest mistakes, one entry a check, with all places of each."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.check, []).append(finding)
    ordered = sorted(
        groups.values(),
        key=lambda g: (-LEVELS[g[0].severity], -LEVELS[g[0].confidence], -math.log2(len(g)), g[0].check),
    )
    return ordered[:count]
