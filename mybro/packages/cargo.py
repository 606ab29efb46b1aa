"""Rust projects, through cargo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mybro.errors import PackagesError
from mybro.packages.manager import Advisory, Outdated, Runner, Tool, run_here

_ROW = re.compile(
    r"^\s*(?:Updating (?P<name>\S+) v(?P<current>\S+) -> v(?P<latest>\S+)"
    r"|Unchanged (?P<held>\S+) v(?P<now>\S+) \(available: v(?P<newer>[^)]+)\))",
    re.MULTILINE,
)


class Cargo:
    """One crate or workspace."""

    name = "cargo"
    manifest = "Cargo.toml"

    def __init__(self, folder: Path, runner: Runner = run_here) -> None:
        self._folder = folder
        self._tool = Tool("cargo", folder, runner)

    def change(self, verb: str, names: Sequence[str], *, dev: bool) -> None:
        kind = ["--dev"] if dev and verb != "upgrade" else []
        self._tool.run("update" if verb == "upgrade" else verb, *kind, "--", *names)

    def locked(self) -> bool:
        there = (self._folder / "Cargo.lock").is_file()
        asked = ("metadata", "--locked", "--format-version", "1")
        return there and self._tool.run(*asked, may_fail=True).returncode == 0

    def outdated(self) -> list[Outdated]:
        told = self._tool.run("update", "--dry-run", "--verbose").stderr
        return [
            Outdated(
                self.name,
                row["name"] or row["held"],
                row["current"] or row["now"],
                row["latest"] or row["newer"],
            )
            for row in _ROW.finditer(told)
        ]

    def audit(self) -> list[Advisory]:
        try:
            told = self._tool.read("audit", "--json")
        except PackagesError as error:
            hint = "Install it with: cargo install cargo-audit"
            raise PackagesError("no_audit", "cargo cannot tell of advisories by itself", hint=hint) from error
        return [
            Advisory(
                self.name,
                row["package"]["name"],
                row["advisory"]["title"],
                str(row["advisory"].get("severity") or "unknown"),
                ", ".join(row.get("versions", {}).get("patched", [])),
            )
            for row in told.get("vulnerabilities", {}).get("list", [])
        ]
