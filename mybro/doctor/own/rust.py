"""Cargo's manifests."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from mybro.doctor.facts import Repository
from mybro.doctor.own.place import Content, Hit, first_line
from mybro.ops import toml

_OLD = ("2015", "2018")


def _manifest(text: str) -> dict[str, Any]:
    try:
        return toml.parse(text)
    except tomllib.TOMLDecodeError:
        return {}


def cargo_versions(content: Content) -> Iterator[Hit]:
    """ "*", or a git dependency that follows a branch."""
    if content.file.name != "Cargo.toml":
        return
    data = _manifest(content.text)
    tables = [data, data.get("workspace", {}), *data.get("target", {}).values()]
    for table in tables:
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            wanted = table.get(kind, {}) if isinstance(table, dict) else {}
            for name, value in wanted.items():
                version = value.get("version") if isinstance(value, dict) else value
                line = first_line(content.text, rf"(?m)^[ \t]*\"?{name}\"?[ \t]*[=.]")
                if isinstance(version, str) and version.strip() == "*":
                    yield Hit(content.file.path, line, f"{name} takes any version", anchor=name)
                elif isinstance(value, dict) and "git" in value and not {"rev", "tag"} & value.keys():
                    yield Hit(content.file.path, line, f"{name} follows a branch", anchor=name)


def cargo_edition(content: Content) -> Iterator[Hit]:
    """The edition of a package."""
    package = _manifest(content.text).get("package") if content.file.name == "Cargo.toml" else None
    if isinstance(package, dict):
        edition = package.get("edition")
        line = first_line(content.text, r"(?m)^edition" if edition else r"(?m)^\[package\]")
        if edition is None:
            yield Hit(content.file.path, line, "the edition is not told: 2015 is taken")
        elif edition in _OLD:
            yield Hit(content.file.path, line, f"the edition is {edition}")


def cargo_lock(repo: Repository) -> Iterator[Hit]:
    """Programs: a library's users lock for themselves."""
    locks = [path.removesuffix("Cargo.lock") for path in repo.files if path.endswith("Cargo.lock")]
    ignored = "Cargo.lock" in (repo.text(".gitignore") or "")
    for manifest in repo.named("Cargo.toml"):
        folder = manifest.path.removesuffix("Cargo.toml")
        data = _manifest(repo.text(manifest) or "")
        program = (
            "bin" in data
            or f"{folder}src/main.rs" in repo.files
            or any(path.startswith(f"{folder}src/bin/") for path in repo.files)
        )
        if "package" in data and program and not any(folder.startswith(lock) for lock in locks):
            fuzz = (data["package"].get("metadata") or {}).get("cargo-fuzz")
            if data.get("lib", {}).get("proc-macro") or manifest.is_test or fuzz:
                continue
            yield Hit(
                manifest.path,
                0,
                "Cargo.lock is ignored" if ignored else "there is no Cargo.lock",
                anchor="lock",
            )
