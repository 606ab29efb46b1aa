"""What a rule, a technology and an exception are, as their TOML files give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mybro.rules import traces

Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


_PLACES = {"async": "in async code", "development": "for development"}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Row):
    """Need, use, never; and where that holds."""

    id: Words
    need: str = ""
    use: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    """Names of technologies."""
    why: str = ""
    where: tuple[str, ...] = ()
    """Contexts in which `never` holds ("async", "development", "tests"); everywhere if empty."""
    languages: tuple[str, ...] = ()
    """Only in files of these; everywhere if empty."""
    folders: tuple[str, ...] = ()
    """Only in files that match one of these globs; everywhere if empty."""
    off: bool = False

    def sentence(self) -> str:
        """The rule in one line, as a person or a model is told it."""
        use = f"use {' or '.join(self.use)}" if self.use else ""
        never = f"never {', '.join(self.never)}" if self.never else ""
        places = [_PLACES.get(context, f"in {context}") for context in self.where]
        place = f" {' or '.join(places)}" if self.never and places else ""
        scope = [*self.languages, *self.folders]
        only = f" (only {', '.join(scope)})" if scope else ""
        return f"{self.need or self.id}: {'; '.join(filter(None, (use, never)))}{place}{only}"


class Technology(_Row):
    """How something that a rule forbids is recognised. Names may end in "*"."""

    name: Words
    instead: str = ""
    python: tuple[str, ...] = ()
    python_methods: tuple[str, ...] = ()
    python_arguments: tuple[str, ...] = ()
    javascript: tuple[str, ...] = ()
    rust: tuple[str, ...] = ()
    pypi: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    crates: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    text: Mapping[str, tuple[str, ...]] = {}
    """Regular expressions by language."""
    contexts: tuple[str, ...] = ()

    def named_in(self, source: str) -> bool:
        """Whether Python code can use it at all: a look that costs next to nothing."""
        for method in self.python_methods:
            if method in source and traces.called(method).search(source):
                return True
        for argument in self.python_arguments:
            if traces.given(argument).search(source):
                return True
        for name in self.python:  # noqa: SIM110 (twice as quick, and asked of very many files)
            if traces.last(name) in source and traces.imports(name, source):
                return True
        return False

    def words(self, language: str) -> tuple[str, ...] | None:
        """One of these is in every file of that language whose code uses it; None where nobody can say."""
        patterns = self.text.get(language, ())
        found = [traces.literal(pattern) for pattern in patterns]
        if language == "python":
            named = (*self.python, *self.python_methods, *self.python_arguments)
            found += [traces.fixed(name.rpartition(".")[2]) for name in named]
        elif language in ("javascript", "typescript"):
            found += [traces.fixed(name) for name in self.javascript]
        elif language == "rust":
            found += [traces.fixed(name) for name in (*self.rust, *self.crates)]
        return tuple(word for word in found if word) if all(found) else None

    def forms(self, language: str) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
        """What code of that language has one of that uses it: a word, and the form around it.

        None where only `words` can say more.
        """
        if self.text.get(language):
            return ()
        if language in ("javascript", "typescript"):
            return tuple((traces.fixed(name), as_bytes(traces.given(name, "/"))) for name in self.javascript)
        if language != "python":
            return ()
        return (
            *((traces.last(name), traces.imported(name)) for name in self.python),
            *((name, as_bytes(traces.called(name))) for name in self.python_methods),
            *((traces.fixed(name), as_bytes(traces.given(name))) for name in self.python_arguments),
        )


def as_bytes(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    return re.compile(pattern.pattern.encode())


class Exemption(_Row):
    """A place where a rule does not hold, for a reason, since a day."""

    rule: Words
    technology: str = ""
    folders: tuple[str, ...] = ()
    """Globs; the whole repository if empty."""
    reason: Words
    since: date
    until: date | None = None

    def covers(self, rule: Rule, technology: str, path: str, today: date) -> bool:
        return (
            self.rule == rule.id
            and self.technology in ("", technology)
            and (not self.folders or matches(path, self.folders))
            and self.since <= today
            and (self.until is None or today <= self.until)
        )


class Layer(_Row):
    """One file of rules."""

    rule: tuple[dict[str, object], ...] = ()
    technology: tuple[Technology, ...] = ()
    exemption: tuple[Exemption, ...] = Field((), alias="exception")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A technology that was seen."""

    technology: str
    path: str
    """From the repository's root, with "/"."""
    line: int
    """From 1; 0 for a file as a whole."""
    evidence: str
    """What was seen: "import flask", "depends on react-scripts"."""
    language: str = ""
    contexts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Violation:
    """A sighting that a rule forbids."""

    rule: Rule
    sighting: Sighting
    instead: str

    def sentence(self) -> str:
        line = f":{self.sighting.line}" if self.sighting.line else ""
        advice = f"; use {self.instead}" if self.instead else ""
        return f"{self.sighting.path}{line}: {self.sighting.evidence} ({self.sighting.technology}){advice}"


@dataclass(frozen=True)
class RuleSet:
    """All that holds in one repository, after its layers were laid on each other."""

    rules: tuple[Rule, ...]
    technologies: Mapping[str, Technology]
    exemptions: tuple[Exemption, ...] = ()

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == name), None)

    def forbidden(self, *, everywhere: bool = False) -> dict[str, Technology]:
        """The technologies that some rule forbids, or forbids `everywhere` without a scope."""
        rules = [
            rule
            for rule in self.rules
            if not everywhere or not (rule.where or rule.languages or rule.folders)
        ]
        names = {name for rule in rules for name in rule.never}
        return {name: tech for name, tech in self.technologies.items() if name in names}

    def sought(self, text: str | None) -> list[Technology]:
        """The forbidden technologies that are worth looking for in a file with this text."""
        # What is only forbidden in async code is not looked for where there is none: parsing costs most.
        everywhere = self.forbidden() if "async def" in (text or "") else self._forbidden_elsewhere
        return list(everywhere.values())

    @cached_property
    def _forbidden_elsewhere(self) -> dict[str, Technology]:
        names = {name for rule in self.rules if rule.where != ("async",) for name in rule.never}
        return {name: each for name, each in self.forbidden().items() if name in names}

    def violations(self, sightings: Iterable[Sighting], today: date) -> list[Violation]:
        """What of the sightings is forbidden; once each, by the rule that says most about its place."""
        found = []
        for seen in sightings:
            breaking = [rule for rule in self.rules if _forbids(rule, seen)]
            if not breaking or any(
                exemption.covers(rule, seen.technology, seen.path, today)
                for exemption in self.exemptions
                for rule in breaking
            ):
                continue
            narrowest = max(breaking, key=lambda rule: len(rule.where) + len(rule.folders) + bool(rule.use))
            found.append(Violation(narrowest, seen, self._instead(narrowest, seen)))
        return found

    def _instead(self, rule: Rule, seen: Sighting) -> str:
        return self.technologies[seen.technology].instead or " or ".join(rule.use)


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path, or its last name where the glob has no folder, matches one of the globs."""
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path if "/" in glob else name, glob) for glob in globs)


def _forbids(rule: Rule, seen: Sighting) -> bool:
    return (
        seen.technology in rule.never
        and (not rule.where or not seen.contexts.isdisjoint(rule.where))
        and (not rule.languages or seen.language in rule.languages)
        and (not rule.folders or matches(seen.path, rule.folders))
    )
