"""All package managers of a project as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mybro.errors import PackagesError
from mybro.packages.cargo import Cargo
from mybro.packages.manager import Advisory, Manager, Outdated, Runner, run_here
from mybro.packages.npm import Npm
from mybro.packages.uv import Uv
from mybro.rules.layers import load
from mybro.rules.model import Technology

MANAGERS: dict[str, Callable[[Path, Runner], Manager]] = {"uv": Uv, "npm": Npm, "cargo": Cargo}
_NAME = re.compile(r"@?[A-Za-z0-9][\w./@+\[\],~^<>=!* -]*")
_ECOSYSTEMS = {"uv": "pypi", "npm": "npm", "cargo": "crates"}


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a manifest."""

    manager: str
    verb: str
    names: tuple[str, ...]


class Packages:
    """The packages of the project in `folder`. The methods block, and raise `PackagesError`."""

    def __init__(self, folder: Path, runner: Runner = run_here) -> None:
        self._folder = folder
        self._runner = runner

    def managers(self, only: str = "") -> list[Manager]:
        """Those whose manifest is in the folder, or the one that is named."""
        if only and only not in MANAGERS:
            raise PackagesError(
                "no_manager", f"{only} is unknown", hint=f"Choose from: {', '.join(MANAGERS)}"
            )
        found = [make(self._folder, self._runner) for name, make in MANAGERS.items() if only in ("", name)]
        found = [each for each in found if (self._folder / each.manifest).is_file()]
        if not found:
            names = "pyproject.toml, package.json or Cargo.toml"
            raise PackagesError("no_manifest", f"{self._folder} has no {names}")
        return found

    def change(
        self, verb: str, names: Sequence[str], *, dev: bool = False, manager: str = "", anyway: bool = False
    ) -> Change:
        """Add, remove or upgrade packages.

        Where a project has several managers, one must be named. What the rules forbid is only added
        `anyway`.
        """
        if not names and verb != "upgrade":
            raise PackagesError("no_names", f"which packages to {verb} is not said")
        for name in names:
            if not _NAME.fullmatch(name):
                raise PackagesError("bad_name", f"{name!r} cannot be a package's name")
        found = self.managers(manager)
        if len(found) > 1:
            known = ", ".join(each.name for each in found)
            message = f"this project has several kinds of packages: {known}"
            raise PackagesError("which_manager", message, hint="Say which one: with --with, or by its name")
        chosen = found[0]
        if verb == "add" and not anyway:
            self._hold_to_rules(chosen.name, names)
        chosen.change(verb, names, dev=dev)
        return Change(chosen.name, verb, tuple(names))

    def unlocked(self) -> list[str]:
        """The managers whose lock is missing, or no longer fits the manifest."""
        return [each.name for each in self.managers() if not each.locked()]

    def outdated(self) -> list[Outdated]:
        """Direct dependencies of which there are newer versions."""
        return [row for each in self.managers() for row in each.outdated()]

    def audit(self) -> list[Advisory]:
        return [row for each in self.managers() for row in each.audit()]

    def _hold_to_rules(self, manager: str, names: Sequence[str]) -> None:
        if found := self.forbidden(manager, names):
            name, technology = found
            raise PackagesError(
                "forbidden",
                f"{name} is {technology.name}, which the rules of this project forbid",
                hint=f"Use {technology.instead}, or add it anyway with --anyway",
            )

    def forbidden(self, manager: str, names: Sequence[str]) -> tuple[str, Technology] | None:
        """The first name that the rules forbid everywhere, and what it is. Raises `RulesError`."""
        for technology in load(self._folder).forbidden(everywhere=True).values():
            for name in names:
                bare = re.split(r"[\[<>=!~@^ ]", name.lstrip("@"))[0].lower()
                if any(fnmatchcase(bare, pattern.lstrip("@")) for pattern in _patterns(technology, manager)):
                    return name, technology
        return None


def _patterns(technology: Technology, manager: str) -> Sequence[str]:
    patterns: Sequence[str] = getattr(technology, _ECOSYSTEMS[manager])
    return patterns
