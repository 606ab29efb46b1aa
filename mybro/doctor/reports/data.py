"""The report for programs: JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from mybro import __version__
from mybro.doctor.check import Check, catalogue
from mybro.doctor.examine import Examination
from mybro.doctor.finding import Finding
from mybro.doctor.redact import printable
from mybro.doctor.score import health, most_important
from mybro.native import in_use

_LEVELS = {"high": "error", "medium": "warning", "low": "note"}
_ANNOTATIONS = {"high": "error", "medium": "warning", "low": "notice"}
_SECURITY = {"high": "8.0", "medium": "5.0", "low": "2.0"}
_PLACES = 100
"""Told of one check among the important ones; all are among the findings."""
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_json(found: Examination, threshold: str | None = None) -> dict[str, Any]:
    """Everything, in one object."""
    whole, parts = health(found.findings, found.checks)
    return {
        "version": 1,
        "mybro": __version__,
        "root": printable(str(found.repo.root)),
        "score": whole.score,
        "grade": whole.grade,
        "counts": whole.counts,
        "families": [{"name": p.name, "score": p.score, "grade": p.grade, "counts": p.counts} for p in parts],
        "files": len(found.repo.files),
        "languages": dict(found.repo.languages.most_common()),
        "checks": sorted(found.checks),
        "important": important(found),
        "findings": [finding_json(finding) for finding in found.findings],
        "hidden": [{**finding_json(entry.finding), "reason": entry.reason} for entry in found.hidden],
        "unexamined": [
            {"what": printable(u.what), "why": printable(u.why), "engine": u.engine, "partial": u.partial}
            for u in found.unexamined
        ],
        "complete": not found.incomplete,
        "exit_code": found.exit_code(threshold),
        "seconds": round(found.seconds, 3),
        "engines": {name: round(seconds, 3) for name, seconds in found.engines.items()},
        "native": in_use(),
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    check = catalogue()[finding.check]
    return {
        "id": finding.check,
        "family": check.family,
        "title": check.title,
        "path": printable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "engine": finding.engine,
        "also": list(finding.others),
        "rule": printable(finding.rule),
        "fixable": finding.fix,
        "fingerprint": finding.fingerprint,
    }


def important(found: Examination) -> list[dict[str, Any]]:
    """The checks that found something, the gravest first, each with why, how to mend it and its places."""
    groups = most_important(found.findings, len(found.findings))
    return [{**check_json(catalogue()[group[0].check]), **_group_json(group)} for group in groups]


def _group_json(group: list[Finding]) -> dict[str, Any]:
    first, mends = group[0], [finding.fix for finding in group]
    return {
        "message": first.message,
        "severity": first.severity,
        "confidence": first.confidence,
        "count": len(group),
        "mends": {"safe": mends.count("safe"), "unsafe": mends.count("unsafe")},
        "places": [
            {"path": printable(f.path), "line": f.line, "fingerprint": f.fingerprint} for f in group[:_PLACES]
        ],
    }


def check_json(check: Check) -> dict[str, Any]:
    """One check, as `mybro doctor --explain ID --json` prints it."""
    return {
        "id": check.id,
        "family": check.family,
        "title": check.title,
        "why": check.why,
        "mend": check.mend,
        "severity": check.severity,
        "confidence": check.confidence,
        "fixable": check.fixable,
    }


def catalogue_json() -> list[dict[str, Any]]:
    """Every check, as `mybro doctor --list --json` prints it."""
    return [
        {
            **check_json(c),
            "deep": c.deep,
            "needs": list(c.needs),
            "languages": list(c.languages),
            "engines": {name: list(rules) for name, rules in c.engines.items()},
        }
        for c in catalogue().values()
    ]


def sarif(found: Examination) -> dict[str, Any]:
    """One run of SARIF 2.1.0."""
    ids = sorted({finding.check for finding in found.findings} | {h.finding.check for h in found.hidden})
    places = {name: number for number, name in enumerate(ids)}
    results = [_result(finding, places) for finding in found.findings]
    for entry in found.hidden:
        accepted = {"kind": "external", "justification": entry.reason}
        results.append({**_result(entry.finding, places), "suppressions": [accepted]})
    notes = [
        {
            "level": "warning" if u.partial else "note",
            "message": {"text": f"{printable(u.what)}: {printable(u.why)}"},
        }
        for u in found.unexamined
    ]
    run = {
        "tool": {
            "driver": {
                "name": "mybro doctor",
                "version": __version__,
                "rules": [_rule(catalogue()[name]) for name in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [{"executionSuccessful": not found.incomplete, "toolExecutionNotifications": notes}],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": [check.family], "precision": check.confidence}
    if check.id.startswith("SEC"):
        properties |= {"security-severity": _SECURITY[check.severity], "tags": [check.family, "security"]}
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.title.split() if word.isalnum()) or check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": check.mend},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": properties,
    }


def _result(finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "partialFingerprints": {"mybro/v1": finding.fingerprint},
        "properties": {"engine": finding.engine, "confidence": finding.confidence},
    }
    uri = quote(finding.path.encode("utf-8", "surrogateescape")) or "."
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
    result["locations"] = [{"physicalLocation": place}]
    return result


def github(found: Examination) -> Iterator[str]:
    """Workflow commands: GitHub shows them beside the lines."""
    for finding in found.findings:
        kind, check = _ANNOTATIONS[finding.severity], catalogue()[finding.check]
        place = f"file={_escaped(finding.path)}," if finding.path else ""
        line = f"line={finding.line}," if finding.line else ""
        yield f"::{kind} {place}{line}title={_escaped(f'{check.id} {check.title}')}::{_data(finding.message)}"
    for entry in found.unexamined:
        if entry.partial:
            yield f"::warning title=Not examined::{_data(f'{entry.what}: {entry.why}')}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
