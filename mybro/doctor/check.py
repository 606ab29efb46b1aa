"""The catalogue of checks: data in checks/*.toml, one file a family."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from mybro.doctor.finding import Confidence, Fixable, Severity
from mybro.errors import MybroError

FOLDER = Path(__file__).parent / "checks"

Need = Literal["network", "trust"]
"""Trust: its engine may run the repository's own code, such as build scripts."""


class DoctorError(MybroError):
    """An examination that cannot be done as asked."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for."""

    id: str
    family: str
    title: str
    why: str
    mend: str
    severity: Severity
    confidence: Confidence
    fixable: Fixable
    engines: Mapping[str, tuple[str, ...]]
    """Engine to that engine's own rules; an own check's engine is "mybro"."""
    languages: tuple[str, ...] = ()
    """Applies where the repository has one of these; empty: everywhere."""
    deep: bool = False
    needs: tuple[Need, ...] = ()
    severities: Mapping[str, Severity] | None = None
    """Where single rules are graver or slighter than the check."""
    fixes: Mapping[str, Fixable] | None = None
    """Where single rules' fixes are less safe than their engine says."""
    in_tests: Severity | None = "low"
    """The most that it can be in a test or an example; None: not reported in a test."""
    optional: bool = False
    """Whether its absence of an engine is not worth an incomplete result: others look at most of it."""

    def severity_of(self, rule: str) -> Severity:
        return (self.severities or {}).get(rule, self.severity)


@cache
def catalogue() -> dict[str, Check]:
    """Every check by id, in the order of the families. Raises `DoctorError` where the data is damaged."""
    found: dict[str, Check] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        for row in data["check"]:
            check = _check(data["family"], row)
            if check.id in found:
                raise DoctorError("bad_catalogue", f"the check {check.id} is there twice")
            found[check.id] = check
    return found


def _check(family: str, row: dict[str, object]) -> Check:
    engines = row.pop("engines")
    assert isinstance(engines, dict)  # noqa: S101
    for name in ("languages", "needs"):
        if name in row:
            row[name] = tuple(row[name])  # type: ignore[arg-type]
    if row.get("in_tests") == "no":
        row["in_tests"] = None
    merged: dict[str, object] = {"confidence": "high", "fixable": "no", **row}
    return Check(family=family, engines={k: tuple(v) for k, v in engines.items()}, **merged)  # type: ignore[arg-type]


def families(checks: Iterable[Check] | None = None) -> list[str]:
    """The families' names, in order."""
    return list(dict.fromkeys(check.family for check in checks or catalogue().values()))


def find(word: str) -> Check:
    """The check with this id, whatever its case. Raises `DoctorError` unknown_check."""
    check = catalogue().get(word.upper())
    if check is None:
        raise DoctorError("unknown_check", f"there is no check {word}", hint="See: mybro doctor --list")
    return check


def choose(words: Iterable[str]) -> list[Check]:
    """The checks that the words mean: ids, prefixes of ids ("SEC") or families. Raises `DoctorError`."""
    chosen: dict[str, Check] = {}
    for word in words:
        wanted = word.strip().casefold()
        hits = [
            c
            for c in catalogue().values()
            if wanted and (c.id.casefold().startswith(wanted) or c.family.casefold() == wanted)
        ]
        if not hits:
            raise DoctorError("unknown_check", f"there is no check {word}", hint="See: mybro doctor --list")
        chosen |= {check.id: check for check in hits}
    return list(chosen.values())
