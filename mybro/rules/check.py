"""Holding a repository, or what was just written in it, against its rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from mybro.rules.layers import REPOSITORY_FILE, load
from mybro.rules.model import RuleSet, Violation
from mybro.rules.sightings import in_file, sightings


def check(repo: Path, rules: RuleSet, *, paths: Iterable[str] | None = None, today: date) -> list[Violation]:
    """What in these files of the repository, or in all, breaks a rule. Raises `RulesError`."""
    return rules.violations(sightings(repo, rules, paths), today)


def newly_broken(
    before: Mapping[str, str | None], after: Mapping[str, str | None], rules: RuleSet, *, today: date
) -> list[Violation]:
    """What a change brought in: a technology that a file holds now and did not hold before.

    `before` and `after` are the texts of the changed files by path; None where a file was not there, or is
    no text. Whoever made the change does not decide about exceptions: `rules` are those from before it.
    """

    def broken(texts: Mapping[str, str | None]) -> list[Violation]:
        technologies = rules.forbidden().values()
        present = ((path, text) for path, text in texts.items() if text is not None)
        return rules.violations(
            (seen for path, text in present for seen in in_file(path, text, technologies)), today
        )

    def key(violation: Violation) -> tuple[str, str, str]:
        return violation.sighting.path, violation.sighting.technology, violation.sighting.evidence

    known = {key(each) for each in broken(before)}
    return [each for each in broken(after) if key(each) not in known]


def rules_before(repo: Path, before: Mapping[str, str | None]) -> RuleSet:
    """The rules as they were before a change that may have touched them. Raises `RulesError`."""
    if REPOSITORY_FILE in before:
        return load(repo, repository_text=before[REPOSITORY_FILE] or "")
    return load(repo)
