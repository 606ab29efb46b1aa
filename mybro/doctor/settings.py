"""What a repository says about its own examination: [tool.mybro.doctor] in pyproject.toml, or mybro.toml."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field
from typing import Any

from mybro.doctor.check import Check, DoctorError, catalogue, choose
from mybro.doctor.facts import Repository
from mybro.doctor.finding import LEVELS, Finding
from mybro.ops import toml

_KEYS = frozenset({"ignore", "select", "exclude", "fail-on", "baseline", "per-file-ignores"})


@dataclass(frozen=True, slots=True)
class DoctorSettings:
    """The settings, checked."""

    select: tuple[str, ...] = ()
    """Ids, prefixes or families to look for; empty: all."""
    ignore: frozenset[str] = frozenset()
    """Ids that are not reported."""
    exclude: tuple[str, ...] = ()
    """Globs of paths that are not examined."""
    per_file: dict[str, frozenset[str]] = field(default_factory=dict)
    """Glob to the ids that are not reported there."""
    fail_on: str = "medium"
    baseline: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    """Id to why it is ignored, where that was told."""

    def hides(self, finding: Finding) -> bool:
        if finding.check in self.ignore:
            return True
        return any(
            matches(finding.path, glob) and finding.check in ids for glob, ids in self.per_file.items()
        )


def matches(path: str, glob: str) -> bool:
    """Whether a path is meant: a glob over the whole path, a folder, or a bare name."""
    bare = glob.rstrip("/")
    if path == bare or path.startswith(f"{bare}/") or fnmatch.fnmatchcase(path, glob):
        return True
    return glob.startswith("**/") and fnmatch.fnmatchcase(path, glob[3:])


def read(repo: Repository) -> DoctorSettings:
    """The repository's settings. Raises `DoctorError` bad_doctor_settings."""
    for name, keys in (("mybro.toml", ("doctor",)), ("pyproject.toml", ("tool", "mybro", "doctor"))):
        text = repo.text(name)
        if text is None:
            continue
        try:
            data: Any = toml.parse(text)
        except tomllib.TOMLDecodeError:
            continue  # what is wrong with the file is a finding, not a reason to look at nothing
        for key in keys:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        if data:
            return _checked(name, data)
    return DoctorSettings()


def _checked(name: str, data: Any) -> DoctorSettings:
    if not isinstance(data, dict) or data.keys() - _KEYS:
        unknown = ", ".join(sorted(data.keys() - _KEYS)) if isinstance(data, dict) else ""
        raise DoctorError(
            "bad_doctor_settings",
            f"{name}: doctor {f'does not know {unknown}' if unknown else 'is no table of settings'}",
            hint=f"It knows {', '.join(sorted(_KEYS))}",
        )
    try:
        ignored, reasons = _ignored(data.get("ignore", []))
        per_file = {glob: _ids(words) for glob, words in data.get("per-file-ignores", {}).items()}
        fail_on = str(data.get("fail-on", "medium"))
        if fail_on not in LEVELS:
            raise ValueError(f"fail-on must be one of {', '.join(LEVELS)}")
        return DoctorSettings(
            tuple(map(str, data.get("select", []))),
            ignored,
            tuple(map(str, data.get("exclude", []))),
            per_file,
            fail_on,
            str(data.get("baseline", "")),
            reasons,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise DoctorError("bad_doctor_settings", f"{name}: {error}") from None


def _ignored(data: Any) -> tuple[frozenset[str], dict[str, str]]:
    """A list of ids, or a table of ids with reasons."""
    if isinstance(data, dict):
        return _ids(list(data)), {str(key).upper(): str(value) for key, value in data.items()}
    return _ids(data), {}


def _ids(words: Any) -> frozenset[str]:
    if not isinstance(words, list):
        raise TypeError("a list of ids is wanted")
    return frozenset(check.id for check in choose(map(str, words))) if words else frozenset()


def wanted(settings: DoctorSettings, select: tuple[str, ...] = ()) -> dict[str, Check]:
    """The checks to look for; the command line's selection wins over the file's. Raises `DoctorError`."""
    words = select or settings.select
    chosen = choose(words) if words else list(catalogue().values())
    return {check.id: check for check in chosen if select or check.id not in settings.ignore}
