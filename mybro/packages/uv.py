"""Python projects, through uv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mybro.packages.manager import Advisory, Outdated, Runner, Tool, run_here

_ROW = re.compile(
    r"^[├└]── (?P<name>[\w.-]+)(?:\[[^\]]*\])? v(?P<current>\S+).*\(latest: v(?P<latest>[^)]+)\)",
    re.MULTILINE,
)


class Uv:
    """One Python project."""

    name = "uv"
    manifest = "pyproject.toml"

    def __init__(self, folder: Path, runner: Runner = run_here) -> None:
        self._folder = folder
        self._tool = Tool("uv", folder, runner)

    def change(self, verb: str, names: Sequence[str], *, dev: bool) -> None:
        if verb == "upgrade":
            which = [part for name in names for part in ("--upgrade-package", name)] or ["--upgrade"]
            self._tool.run("sync", *which)
        else:
            self._tool.run(verb, *(["--dev"] if dev else []), "--", *names)

    def locked(self) -> bool:
        there = (self._folder / "uv.lock").is_file()
        return there and self._tool.run("lock", "--check", may_fail=True).returncode == 0

    def outdated(self) -> list[Outdated]:
        lock = self._folder / "uv.lock"
        there = lock.is_file()
        told = self._tool.run("tree", "--outdated", "--depth", "1", *(["--frozen"] if there else [])).stdout
        if not there:  # who asks changes nothing
            lock.unlink(missing_ok=True)
        rows = {match["name"]: match for match in _ROW.finditer(told)}
        return [Outdated(self.name, name, row["current"], row["latest"]) for name, row in rows.items()]

    def audit(self) -> list[Advisory]:
        preview = ("--preview-features", "audit-command", "--preview-features", "json-output")
        told = self._tool.read("audit", *preview, "--output-format", "json")
        return [
            Advisory(
                self.name,
                str(row.get("dependency", {}).get("name", row.get("package", ""))),
                str(row.get("summary") or row.get("id", "")),
                str(row.get("severity") or "unknown"),
                ", ".join(map(str, row.get("fix_versions", []))),
            )
            for row in told.get("vulnerabilities", [])
        ]
