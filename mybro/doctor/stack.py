"""The rules about which technologies are used: this room looks at files, the rules' room judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fnmatch import translate

from mybro.doctor.engine import EngineError, Outcome, Task
from mybro.doctor.facts import MAX_SOURCE_BYTES
from mybro.doctor.finding import Finding
from mybro.errors import RulesError
from mybro.rules.layers import load
from mybro.rules.model import RuleSet, Sighting
from mybro.rules.sightings import LANGUAGES, in_file

_MANIFESTS = ("pyproject.toml", "package.json", "Cargo.toml")
_CHECKS = {"requests": "requests", "CUDA": "cuda", "Docker": "docker"}
"""The engine's rule for a technology; "forbidden" for all others."""

Words = tuple[bytes, ...] | None


class StackRules:
    """Holds the repository against its rules."""

    name = "rules"

    def available(self) -> bool:
        return True

    def words(self, task: Task) -> Iterator[bytes]:
        try:
            rules = load(task.repo.root)
        except RulesError:
            return
        for language in set(LANGUAGES.values()):
            yield from _words(rules, language) or ()

    def run(self, task: Task) -> Outcome:
        repo, checks, outcome = task.repo, task.rules(self.name), Outcome()
        try:
            rules = load(repo.root)
        except RulesError as error:
            raise EngineError(str(error)) from error
        seen: list[Sighting] = []
        named = _by_name(rules)
        by_language: dict[str, Words] = {}
        for file in repo.files.values():
            if file.vendored or not repo.asked(file.path):
                continue
            language = LANGUAGES.get(f".{file.name.rpartition('.')[2].lower()}", "")
            if language not in by_language:
                by_language[language] = _words(rules, language)
            told = language or file.name in _MANIFESTS or file.name.endswith((".txt", ".in"))
            words = by_language[language]
            if language and words is not None and file.name not in _MANIFESTS:
                told = repo.may_have(file, words)
            if told or named(file.path):
                text = repo.text(file) if told and file.size <= MAX_SOURCE_BYTES else None
                seen += in_file(file.path, text, rules.sought(text))
        # What has an end ends with the person's own day.
        for violation in rules.violations(seen, datetime.now(UTC).astimezone().date()):
            check = checks.get(_CHECKS.get(violation.sighting.technology, "forbidden"))
            if check is None:
                continue
            at = violation.sighting
            outcome.findings.append(
                Finding(
                    check.id, at.path, at.line, 1,
                    f"{at.evidence} ({at.technology}): use {violation.instead}",
                    check.severity, check.confidence, self.name, violation.rule.id,
                    anchor=f"{at.technology} {at.evidence}",
                )
            )  # fmt: skip
        return outcome


def _words(rules: RuleSet, language: str) -> Words:
    """One of these is in every file of this language in which something can be found; None: in any file."""
    found: list[bytes] = []
    usual = rules.sought(None)
    for technology in rules.sought("async def"):
        told = technology.words(language)
        if told is None:
            return None
        found += [word.encode() for word in told]
        if technology not in usual and technology.files:
            found.append(b"async def")  # the file's name alone counts, and only where there is such code
    return tuple(found)


def _by_name(rules: RuleSet) -> Callable[[str], bool]:
    """Whether a path alone can be a sighting."""
    globs = {glob for technology in rules.sought("async def") for glob in technology.files}
    paths, names = (
        "|".join(translate(g) for g in sorted(globs) if ("/" in g) == whole) for whole in (True, False)
    )
    path = re.compile(paths or r"(?!)")
    name = re.compile(names or r"(?!)")
    return lambda told: bool(path.match(told) or name.match(told.rpartition("/")[2]))
