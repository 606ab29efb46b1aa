"""From what the engines gave to what is told: doubles are one, tests and examples weigh less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mybro.doctor.check import Check
from mybro.doctor.finding import FIX_ORDER, LEVELS, Finding, Severity, rank
from mybro.doctor.languages import is_example, is_test
from mybro.doctor.redact import redact

_COVERED = {
    "SEC16": ("SEC01", "SEC02"),
    "SEC10": ("SEC01",),
    "PY26": ("TS05",),
    "PY32": ("TS06",),
    "SEC26": ("SEC24",),
    "DC04": ("SEC01", "SEC02", "SEC16"),
    "CI01": ("CI11",),
}
"""A check to those that say the same of a line, and better."""


def merge(findings: Iterable[Finding], checks: dict[str, Check]) -> list[Finding]:
    """One finding for each check and line, the worst first; everything that is shown is free of secrets."""
    found: dict[tuple[str, str, int, str], Finding] = {}
    places: dict[tuple[str, int], set[str]] = {}
    for finding in findings:
        check = checks[finding.check]
        severity = finding.severity
        if finding.path and is_test(finding.path):
            if check.in_tests is None:
                continue
            severity = min(severity, check.in_tests, key=LEVELS.__getitem__)
        elif finding.path and is_example(finding.path):
            severity = min(severity, check.in_tests or "low", key=LEVELS.__getitem__)
        # Several words of one line are several typos; everything else is one finding a line.
        own = f"{finding.rule}{finding.column}" if finding.engine == "typos" or not finding.line else ""
        if not finding.line:
            own = finding.anchor or finding.message
        key = (finding.check, finding.path, finding.line, own)
        known = found.get(key)
        if known is None:
            found[key] = finding if severity == finding.severity else replace(finding, severity=severity)
            if finding.line:
                places.setdefault((finding.path, finding.line), set()).add(finding.check)
        else:
            found[key] = _both(known, finding, severity)
    # What a merge left in a file does not parse either, several times over.
    unfinished = {f.path for f in found.values() if f.check == "GT01"}
    kept = [
        f
        for f in found.values()
        if not (f.line and f.check in _COVERED and not places[f.path, f.line].isdisjoint(_COVERED[f.check]))
        and not (f.check == "PY01" and f.path in unfinished)
    ]
    shown: dict[str, str] = {}
    return sorted((_shown(f, shown) for f in kept), key=rank)


def _both(one: Finding, other: Finding, severity: Severity) -> Finding:
    """The same place told twice: the graver and the surer of both, and the fix of the one that has one.

    Whichever engine ends first: a baseline knows a finding by its words. Of one engine its first word counts.
    """
    keep = min(one, other, key=lambda f: (-FIX_ORDER[f.fix], f.engine))
    engines = {one.engine, *one.others, other.engine, *other.others} - {keep.engine}
    edits = tuple(dict.fromkeys((*one.edits, *other.edits))) if one.engine == other.engine else keep.edits
    return replace(
        keep,
        severity=max(one.severity, severity, key=LEVELS.__getitem__),
        confidence=max(one.confidence, other.confidence, key=LEVELS.__getitem__),
        others=tuple(sorted(engines)),
        edits=edits,
    )


def _shown(finding: Finding, known: dict[str, str]) -> Finding:
    """`known`: messages that were redacted already; many findings say the same."""
    message = known.get(finding.message)
    if message is None:
        message = known[finding.message] = redact(finding.message)
    return finding if message == finding.message else replace(finding, message=message)
