"""JavaScript and TypeScript projects, through npm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mybro.errors import PackagesError
from mybro.packages.manager import Advisory, Outdated, Runner, Tool, run_here

_VERBS = {"add": "install", "remove": "uninstall", "upgrade": "update"}


class Npm:
    """One project with a package.json."""

    name = "npm"
    manifest = "package.json"

    def __init__(self, folder: Path, runner: Runner = run_here) -> None:
        self._folder = folder
        self._tool = Tool("npm", folder, runner)

    def change(self, verb: str, names: Sequence[str], *, dev: bool) -> None:
        quiet = ("--no-audit", "--no-fund")
        self._tool.run(_VERBS[verb], *quiet, *(["--save-dev"] if dev else []), "--", *names)

    def locked(self) -> bool:
        there = (self._folder / "package-lock.json").is_file()
        dry = ("ci", "--dry-run", "--ignore-scripts", "--no-audit", "--no-fund")
        return there and self._tool.run(*dry, may_fail=True).returncode == 0

    def outdated(self) -> list[Outdated]:
        rows = self._tool.read("outdated", "--json")
        if isinstance(rows.get("error"), dict) and "wanted" not in rows["error"]:
            raise PackagesError("packages_failed", f"npm outdated failed: {_why(rows)}", retryable=True)
        return [
            Outdated(
                self.name, name, str(row.get("current", row.get("wanted", ""))), str(row.get("latest", ""))
            )
            for name, row in sorted(rows.items())
            if isinstance(row, dict) and row.get("current", row.get("wanted")) != row.get("latest")
        ]

    def audit(self) -> list[Advisory]:
        told = self._tool.read("audit", "--json")
        if "vulnerabilities" not in told:
            raise PackagesError("packages_failed", f"npm audit failed: {_why(told)}", retryable=True)
        found = []
        for name, row in sorted(told["vulnerabilities"].items()):
            # Text in "via" names a package that is listed itself.
            titles = [each["title"] for each in row.get("via", []) if isinstance(each, dict)]
            fix = row.get("fixAvailable")
            fixed = f"{fix['name']} {fix['version']}" if isinstance(fix, dict) else "an update" if fix else ""
            found += [
                Advisory(self.name, name, title, str(row.get("severity", "unknown")), fixed)
                for title in titles
            ]
        return found


def _why(told: dict[str, Any]) -> str:
    """What npm says instead of an answer."""
    error = told.get("error")
    summary = error.get("summary") if isinstance(error, dict) else ""
    return str(summary or told.get("message") or "it does not say why")[:400]
