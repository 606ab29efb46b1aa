"""The rules about which technologies are used: this room looks at files, the rules' room judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fnmatch import translate
from functools import cache

from mybro.doctor.engine import EngineError, Outcome, Task
from mybro.doctor.facts import MAX_SOURCE_BYTES, Repository
from mybro.doctor.finding import Finding
from mybro.doctor.own.development import only_for_development
from mybro.doctor.shapes import Group, Shape
from mybro.errors import RulesError
from mybro.rules.layers import load
from mybro.rules.model import RuleSet, Sighting, Technology
from mybro.rules.sightings import LANGUAGES, in_file

_MANIFESTS = ("pyproject.toml", "package.json", "Cargo.toml")
_ASYNC = b"async def"
"""Where this is, what is only forbidden in async code is looked for, too."""
_CHECKS = {"requests": "requests", "CUDA": "cuda", "Docker": "docker"}
"""The engine's rule for a technology; "forbidden" for all others."""

_BUILT_WITH = frozenset({"Webpack", "CRA", "Electron"})
"""Technologies that make the product from where they are asked for: among what only developers need."""

_WRITTEN = {
    "javascript": frozenset({"javascript", "html"}),
    "typescript": frozenset({"typescript", "tsx"}),
}
"""The rules' languages as the doctor tells them by."""

Groups = tuple[Group, ...]
"""Of each group one must be in a file; no group: it can be found in any file."""


class StackRules:
    """Holds the repository against its rules."""

    name = "rules"

    def available(self) -> bool:
        return True

    def words(self, task: Task) -> Iterator[bytes | Shape]:
        try:
            rules = load(task.repo.root)
        except RulesError:
            return
        for language in set(LANGUAGES.values()):
            for _, groups in _needs(rules, language):
                for words in groups:
                    yield from words

    def run(self, task: Task) -> Outcome:
        repo, checks, outcome = task.repo, task.rules(self.name), Outcome()
        try:
            rules = load(repo.root)
        except RulesError as error:
            raise EngineError(str(error)) from error
        seen: list[Sighting] = []
        named = _by_name(rules)
        by_language: dict[str, list[tuple[Technology, tuple[int, ...]]]] = {}
        for file in repo.files.values():
            if file.vendored or not repo.asked(file.path):
                continue
            language = LANGUAGES.get(f".{file.name.rpartition('.')[2].lower()}", "")
            if language not in by_language:
                by_language[language] = [
                    (technology, tuple(map(repo.mask, groups)))
                    for technology, groups in _needs(rules, language)
                ]
            manifest = file.name in _MANIFESTS or file.name.endswith((".txt", ".in"))
            marks = repo.marks(file)
            used = [
                one
                for one, masks in by_language[language]
                if not masks or (marks & masks[-1] and all(marks & mask for mask in masks))
            ]
            whole = manifest or named(file.path)
            if used or whole:
                told = (language or manifest) and file.size <= MAX_SOURCE_BYTES
                text = repo.text(file) if told else None
                sought = rules.sought(text)
                seen += in_file(file.path, text, sought if whole else [t for t in sought if t in used])
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
                    "low" if _slight(repo, at) else check.severity, check.confidence, self.name,
                    violation.rule.id,
                    anchor=f"{at.technology} {at.evidence}",
                )
            )  # fmt: skip
        return outcome


def _slight(repo: Repository, at: Sighting) -> bool:
    """Whether a package is asked for as a test's partner only, such as a server that answers it."""
    package = at.evidence.removeprefix("depends on ")
    if package == at.evidence or at.technology in _BUILT_WITH:
        return False
    return only_for_development(at.path, repo.text(at.path) or "", package)


def _needs(rules: RuleSet, language: str) -> list[tuple[Technology, Groups]]:
    """The technologies that code of this language can use, with what its files have then."""
    found: list[tuple[Technology, Groups]] = []
    usual = rules.sought(None)
    for technology in rules.sought(_ASYNC.decode()):
        words = technology.words(language)
        if words == ():
            continue
        first: Groups = () if words is None else (tuple(word.encode() for word in words),)
        if words and (forms := technology.forms(language)):
            first += (tuple(_shape(language, word.encode(), form) for word, form in forms),)
        found.append((technology, first if technology in usual else (*first, (_ASYNC,))))
    return found


@cache
def _shape(language: str, word: bytes, form: re.Pattern[bytes]) -> Shape:
    return Shape((word,), (form,), languages=_WRITTEN.get(language, frozenset({language})))


def _by_name(rules: RuleSet) -> Callable[[str], bool]:
    """Whether a path alone can be a sighting."""
    globs = {glob for technology in rules.sought(_ASYNC.decode()) for glob in technology.files}
    paths, names = (
        "|".join(translate(g) for g in sorted(globs) if ("/" in g) == whole) for whole in (True, False)
    )
    path = re.compile(paths or r"(?!)")
    name = re.compile(names or r"(?!)")
    return lambda told: bool(path.match(told) or name.match(told.rpartition("/")[2]))
