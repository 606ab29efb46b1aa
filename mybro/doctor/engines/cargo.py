"""Rust's own tools. clippy builds the project, which runs its build scripts: only where that is allowed."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import tomlkit

from mybro.doctor.check import Check
from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding, Unexamined
from mybro.doctor.own.place import first_line
from mybro.ops import toml


class Clippy:
    """Needs trust."""

    name = "clippy"

    def available(self) -> bool:
        return program("cargo") is not None and program("cargo-clippy") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        with tempfile.TemporaryDirectory() as built:
            for folder in _workspaces(task):
                for row in self._messages(task, folder, Path(built), outcome):
                    if finding := self._finding(check, row, folder, task):
                        outcome.findings.append(finding)
        return outcome

    def _messages(
        self, task: Task, folder: PurePosixPath, built: Path, outcome: Outcome
    ) -> Iterator[dict[str, Any]]:
        """What the compiler says; nothing is written into the repository."""
        manifest, lock = str(folder / "Cargo.toml"), task.repo.root / folder / "Cargo.lock"
        had_lock = lock.exists()
        argv = ["cargo", "clippy", "--quiet", "--message-format", "json", "--manifest-path", manifest]
        argv += ["--locked"] if had_lock else []
        try:
            answer = command(
                argv, cwd=task.repo.root, deadline=task.deadline, env={"CARGO_TARGET_DIR": str(built)}
            )
        finally:
            if not had_lock:
                lock.unlink(missing_ok=True)
        rows = [json.loads(line) for line in answer.output.splitlines() if line.startswith(b"{")]
        rows = [row for row in rows if row.get("reason") == "compiler-message"]
        if answer.status and not rows:
            why = (answer.errors.strip().splitlines() or ["failed"])[0][:200]
            outcome.unexamined.append(Unexamined(manifest, why, self.name))
        yield from rows

    def _finding(
        self, check: Check, row: dict[str, Any], folder: PurePosixPath, task: Task
    ) -> Finding | None:
        told = row.get("message") or {}
        spans = [span for span in told.get("spans", []) if span["is_primary"]]
        if not spans:
            return None
        # Paths are relative to the workspace, not to where cargo was started.
        path = str(folder / spans[0]["file_name"]).removeprefix(f"{task.repo.root}/")
        if path not in task.repo.files or not task.repo.asked(path):
            return None
        return Finding(
            check.id,
            path,
            spans[0]["line_start"],
            spans[0]["column_start"],
            told["message"],
            "medium" if told["level"] == "error" else check.severity,
            check.confidence,
            self.name,
            (told.get("code") or {}).get("code", ""),
        )


def _workspaces(task: Task) -> list[PurePosixPath]:
    """The folders of the manifests that no other one holds as a member."""
    folders: dict[PurePosixPath, bool] = {}
    for file in sorted(task.repo.named("Cargo.toml"), key=lambda f: f.path.count("/")):
        folder = PurePosixPath(file.path).parent
        text = task.repo.text(file) or ""
        member = any(holds and folder.is_relative_to(known) for known, holds in folders.items())
        if not file.vendored and not member and ("[package]" in text or "[workspace]" in text):
            folders[folder] = "[workspace]" in text
    return list(folders)


class Rustfmt:
    """Reads only; one finding a file."""

    name = "rustfmt"

    def available(self) -> bool:
        return program("rustfmt") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        rustfmt = program("rustfmt", task.repo.root)
        if rustfmt is None:
            raise EngineError("not installed")
        outcome = Outcome()
        root = task.repo.root
        # A rust-toolchain.toml where rustup is started can name a program of the repository's own.
        with tempfile.TemporaryDirectory() as empty:
            for batch in batches(f.path for f in task.files("rust")):
                argv = [rustfmt, "--check", "--edition", "2021", "--config", "skip_children=true"]
                argv += [f"{root}/{path.removeprefix('./')}" for path in batch]
                told = command(argv, cwd=Path(empty), deadline=task.deadline)
                unlike = re.findall(r"(?m)^Diff in (.+?):\d+:?$", told.output.decode(errors="replace"))
                for path in dict.fromkeys(unlike):
                    name = plain(path.removeprefix(f"{root}/"))
                    outcome.findings.append(
                        Finding(
                            check.id, name, 0, 1, check.title, check.severity, check.confidence, self.name
                        )
                    )
        return outcome


_NOBODYS = '[package]\nname = "none"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
"""cargo-deny wants a manifest where it is started."""


class CargoDeny:
    """Known faults of dependencies; asks the network.

    cargo obeys the `.cargo/config.toml` and `rust-toolchain.toml` of the folder in which it is started, and
    they can name programs to run: it is started in an empty one, and cargo-deny is given what cargo told.
    """

    name = "cargo-deny"

    def available(self) -> bool:
        return program("cargo-deny") is not None and program("cargo") is not None

    def run(self, task: Task) -> Outcome:
        outcome = Outcome()
        for folder in _workspaces(task):
            lock = str(folder / "Cargo.lock")
            text = task.repo.text(lock)
            if text is None:
                continue  # a program without one is a finding of its own
            with tempfile.TemporaryDirectory() as empty:
                rows = self._rows(task, folder, Path(empty))
            faults = [row["fields"] for row in rows if row.get("type") == "diagnostic"]
            if not any(row.get("type") == "summary" for row in rows):
                why = next(
                    (_text(r) for r in rows if r.get("fields", {}).get("level") == "ERROR"), "did not end"
                )
                outcome.unexamined.append(Unexamined(lock, why[:200], self.name))
            outcome.findings += [
                self._finding(task, lock, text, row) for row in faults if row.get("advisory")
            ]
        return outcome

    def _rows(self, task: Task, folder: PurePosixPath, empty: Path) -> list[dict[str, Any]]:
        deny, cargo = program("cargo-deny", task.repo.root), program("cargo", task.repo.root)
        if deny is None or cargo is None:
            raise EngineError("not installed")
        manifest = str(task.repo.root / folder / "Cargo.toml")
        asked = [cargo, "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest]
        crates = command(asked, cwd=empty, deadline=task.deadline)
        if not crates.output.startswith(b"{"):
            return [{"fields": {"level": "ERROR", "message": crates.errors}}]
        (empty / "crates.json").write_bytes(crates.output)
        (empty / "Cargo.toml").write_text(_NOBODYS, encoding="utf-8")
        (empty / "lib.rs").touch()
        settings = {"advisories": {"ignore": _accepted(task, folder), "unmaintained": "workspace"}}
        (empty / "deny.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")
        argv = [deny, "--format", "json", "--metadata-path", str(empty / "crates.json")]
        argv += ["check", "--hide-inclusion-graph", "advisories"]
        answer = command(argv, cwd=empty, deadline=task.deadline)
        return [json.loads(line) for line in answer.errors.splitlines() if line.startswith("{")]

    def _finding(self, task: Task, lock: str, text: str, row: dict[str, Any]) -> Finding:
        check = next(iter(task.checks.values()))
        advisory = row["advisory"]
        name, _, version = row["labels"][0]["span"].partition(" ") if row.get("labels") else ("", "", "")
        version = version.partition(" ")[0]
        entry = rf'name = "{re.escape(name)}"\nversion = "{re.escape(version)}"'
        return Finding(
            check.id,
            lock,
            first_line(text, entry),
            1,
            f"{name} {version}: {advisory.get('title') or row.get('message', '')}",
            check.severity_of(row.get("code", "")),
            check.confidence,
            self.name,
            str(advisory.get("id", "")),
        )


def _text(row: dict[str, Any]) -> str:
    """What went wrong, without cargo's progress."""
    lines = [line.strip() for line in str(row["fields"].get("message", "")).splitlines()]
    told = [line for line in lines if line.startswith(("error", "fatal", "failed"))]
    return (told or lines or ["failed"])[-1]


def _accepted(task: Task, folder: PurePosixPath) -> list[str]:
    """The advisories that the project's own settings accept."""
    for name in ("deny.toml", ".deny.toml", ".cargo/deny.toml"):
        try:
            data = toml.parse(task.repo.text(str(folder / name)) or "")
        except tomllib.TOMLDecodeError:
            continue
        rows = data.get("advisories", {}).get("ignore", [])
        return [i for i in (r.get("id") if isinstance(r, dict) else r for r in rows) if isinstance(i, str)]
    return []
