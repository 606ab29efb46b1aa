"""What is declared, and how it is held fast."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from mybro.doctor.facts import File, Repository
from mybro.doctor.finding import Edit
from mybro.doctor.own.javascript import LOCKS
from mybro.doctor.own.place import Content, Hit, first_line
from mybro.ops.toml import parse

_PYTHON_LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
    "conda-lock.yml",
    "pixi.lock",
)
_BOTS = (
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    "renovate.json",
    "renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".pyup.yml",
)
_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*(.*)$")
_FIXED = re.compile(r"@(?:[0-9a-f]{7,40}|v?\d[\w.]*)(?:[#\s]|$)")
_END = (3, 10)
"""The newest Python that gets no security updates any more, apart from what a distribution does."""


def toml(repo: Repository, file: File | str) -> dict[str, Any]:
    """What is in a TOML file; empty where it is none."""
    try:
        return parse(repo.text(file) or "")
    except tomllib.TOMLDecodeError:
        return {}


def _project(data: dict[str, Any]) -> dict[str, Any]:
    found = data.get("project")
    return found if isinstance(found, dict) else {}


def _requirement_files(repo: Repository) -> list[File]:
    return [
        f
        for p, f in repo.files.items()
        if "requirements" in p
        and re.search(r"(?:^|/)(?:requirements[\w.-]*\.(?:txt|in)|requirements/[\w.-]+\.(?:txt|in))$", p)
        and not f.vendored
        and not re.search(r"(?:^|/)(?:tests?|fixtures?|testdata)/", p)
    ]


def hashed(text: str) -> bool:
    """Whether a requirements file holds every package by version and hash, which is a lock."""
    return "--hash=" in text and "==" in text


def locks(repo: Repository) -> Iterator[Hit]:
    """Of Python and JavaScript projects that have dependencies; Rust has a check of its own."""
    data = toml(repo, "pyproject.toml")
    wanted = _project(data).get("dependencies") or data.get("tool", {}).get("poetry", {}).get("dependencies")
    requirements = {f.path: repo.text(f) or "" for f in _requirement_files(repo)}
    locked = any(name in repo.files for name in _PYTHON_LOCKS) or any(map(hashed, requirements.values()))
    if wanted and not locked:
        yield Hit(
            "pyproject.toml",
            first_line(repo.text("pyproject.toml") or "", r"(?m)^[ \t]*dependencies"),
            "dependencies are declared and not locked",
            anchor="lock",
        )
    elif not wanted and not locked and "requirements.txt" in requirements:
        loose = [
            line
            for line in requirements["requirements.txt"].splitlines()
            if re.match(r"\s*[A-Za-z]", line) and "==" not in line and " @ " not in line
        ]
        if loose:
            yield Hit(
                "requirements.txt", 0, f"{len(loose)} dependencies have no fixed version", anchor="lock"
            )
    package = repo.files.get("package.json")
    if package and not any(name in repo.files for name in LOCKS):
        try:
            manifest = json.loads(repo.text(package) or "{}")
        except (ValueError, RecursionError):
            return
        if isinstance(manifest, dict) and (manifest.get("dependencies") or manifest.get("devDependencies")):
            yield Hit(
                "package.json",
                first_line(repo.text(package) or "", '"(?:devD|d)ependencies"'),
                "dependencies are declared and not locked",
                anchor="lock",
            )


def update_bot(repo: Repository) -> Iterator[Hit]:
    """Where the code is on GitHub and depends on others."""
    manifests = ("pyproject.toml", "package.json", "Cargo.toml", "requirements.txt")
    if not any(path.startswith(".github/") for path in repo.files) or not any(
        m in repo.files for m in manifests
    ):
        return
    if any(bot in repo.files for bot in _BOTS) or "renovate" in (repo.text("package.json") or ""):
        return
    yield Hit("", 0, "no Dependabot or Renovate configuration")


def loose_versions(repo: Repository) -> Iterator[Hit]:
    """Any version, a moving branch, or a connection without encryption."""
    yield from _loose_requirements(repo)
    yield from _loose_packages(repo)
    data = toml(repo, "pyproject.toml")
    text = repo.text("pyproject.toml") or ""
    for wanted in _project(data).get("dependencies") or ():
        if "git+" in str(wanted) and not _FIXED.search(str(wanted).partition("git+")[2]):
            line = first_line(text, re.escape(str(wanted)))
            yield Hit("pyproject.toml", line, "follows a branch of a git repository", anchor=str(wanted))


def _loose_requirements(repo: Repository) -> Iterator[Hit]:
    locked = any(name in repo.files for name in ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"))
    for file in _requirement_files(repo):
        if file.name == "requirements.txt" and not locked:
            for number, line in enumerate((repo.text(file) or "").splitlines(), 1):
                if found := re.match(r"([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:#.*)?$", line):
                    yield Hit(file.path, number, f"{found[1]} takes any version", severity="low", anchor=line)
        for number, line in enumerate((repo.text(file) or "").splitlines(), 1):
            if re.search(r"git\+https?://\S+", line) and not _FIXED.search(line):
                yield Hit(file.path, number, "follows a branch of a git repository", anchor=line)
            elif re.match(r"\s*(?:[\w.\[\]-]+\s*@\s*)?http://", line):
                yield Hit(file.path, number, "downloads without encryption", anchor=line)
            elif re.match(
                r"\s*(?:-i|--index-url|--find-links|--trusted-host)\b.*http://|\s*--trusted-host\b", line
            ):
                yield Hit(file.path, number, "downloads without a check of the server", anchor=line)


def _loose_packages(repo: Repository) -> Iterator[Hit]:
    for file in repo.named("package.json"):
        if file.is_test:
            continue
        try:
            data = json.loads(repo.text(file) or "{}")
        except (ValueError, RecursionError):
            continue
        for key in ("dependencies", "devDependencies") if isinstance(data, dict) else ():
            table = data.get(key)
            for name, version in table.items() if isinstance(table, dict) else ():
                text = str(version).strip()
                moving = text.startswith(("git", "http")) or re.match(r"^[\w-]+/[\w.-]+$", text)
                if text in ("*", "", "latest", "x") or (
                    moving and not re.search(r"#(?:[0-9a-f]{7,40}|v?\d)", text)
                ):
                    line = first_line(repo.text(file) or "", f'"{re.escape(name)}"')
                    yield Hit(file.path, line, f"{name} takes {text or 'any version'}", anchor=name)


def extra_index(content: Content) -> Iterator[Hit]:
    """In requirements and pip's own configuration."""
    name = content.file.name
    if not (name.startswith(("requirements", "pip.", "constraints")) or "requirements/" in content.file.path):
        return
    for number, line in enumerate(content.text.splitlines(), 1):
        if re.match(r"\s*(?:--extra-index-url|extra-index-url)\b", line):
            yield Hit(content.file.path, number, "a second index can answer for any package")


def requires_python(repo: Repository) -> Iterator[Hit]:
    """Which Pythons a project supports."""
    text = repo.text("pyproject.toml") or ""
    project = _project(toml(repo, "pyproject.toml"))
    if not project:
        return
    told = project.get("requires-python")
    if not isinstance(told, str):
        if "requires-python" in (project.get("dynamic") or ()):
            return
        found = re.search(rb"(?m)^\[project\][^\n]*\n", text.encode())
        place = found.end() if found else 0
        edits = (Edit(place, place, b'requires-python = ">=3.11"\n'),) if found else ()
        yield Hit(
            "pyproject.toml",
            first_line(text, r"(?m)^\[project\]"),
            "requires-python is not there",
            edits,
            "unsafe",
        )
        return
    lowest = re.search(r"(?:>=|~=|==|\^)\s*(\d+)\.(\d+)", told)
    if lowest and (int(lowest[1]), int(lowest[2])) < (_END[0], _END[1] - 1):
        line = first_line(text, r"(?m)^requires-python")
        yield Hit("pyproject.toml", line, f"Python {lowest[1]}.{lowest[2]} gets no security updates any more")


def _names(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        bare = line.partition("#")[0].partition(";")
        found = _NAME.match(bare[0])
        if found and not line.lstrip().startswith("-") and not bare[1]:
            yield number, re.sub(r"[-_.]+", "-", found[1]).casefold()


def double_dependencies(repo: Repository) -> Iterator[Hit]:
    """One package, two lines in one list; markers may tell them apart."""
    for file in _requirement_files(repo):
        seen: dict[str, int] = {}
        for number, name in _names((repo.text(file) or "").splitlines()):
            if name in seen:
                yield Hit(file.path, number, f"{name} is on line {seen[name]} already", anchor=name)
            seen.setdefault(name, number)
    text = repo.text("pyproject.toml") or ""
    listed = _project(toml(repo, "pyproject.toml")).get("dependencies")
    again: set[str] = set()
    for _, name in _names([str(item) for item in listed] if isinstance(listed, list) else []):
        if name in again:
            yield Hit(
                "pyproject.toml", first_line(text, re.escape(name)), f"{name} is declared twice", anchor=name
            )
        again.add(name)


def licence_field(repo: Repository) -> Iterator[Hit]:
    """In what is published."""
    project = _project(toml(repo, "pyproject.toml"))
    told = project.get("license") or "license" in (project.get("dynamic") or ())
    told = told or any("License ::" in str(c) for c in project.get("classifiers") or ())
    if project.get("name") and not told:
        line = first_line(repo.text("pyproject.toml") or "", r"(?m)^\[project\]")
        yield Hit("pyproject.toml", line, "license is not there", anchor="license")
    package = toml(repo, "Cargo.toml").get("package")
    published = isinstance(package, dict) and package.get("publish") is not False
    if published and package and not {"license", "license-file"} & package.keys():
        line = first_line(repo.text("Cargo.toml") or "", r"(?m)^\[package\]")
        yield Hit("Cargo.toml", line, "license is not there", anchor="license")
    try:
        data = json.loads(repo.text("package.json") or "null")
    except (ValueError, RecursionError):
        return
    if isinstance(data, dict) and data.get("name") and not data.get("license") and not data.get("private"):
        yield Hit("package.json", 0, "license is not there", anchor="license")
