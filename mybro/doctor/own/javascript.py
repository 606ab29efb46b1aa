"""What is in JavaScript's own configuration files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.own.place import Content, Hit, first_line

LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock")
_INSTALL = ("preinstall", "install", "postinstall", "prepare")
_SUSPECT = re.compile(r"curl|wget|https?://|base64|eval|node -e|\bsh\b|powershell|/tmp/")
_IGNORED = re.compile(rb"(?m)//[ \t]*@ts-(?:ignore|nocheck)\b")
_NAME = re.compile(r"^(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$")
_SEMVER = re.compile(r"^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$")


def ts_ignore(content: Content) -> Iterator[Hit]:
    """Comments that switch the checker off without a check that they are still needed."""
    for found in _IGNORED.finditer(content.data):
        yield Hit(
            content.file.path, content.line(found.start()), "@ts-ignore hides every mistake of the next line"
        )


def parse(text: str) -> Any:
    """JSON; with comments and commas at the end, as TypeScript's own files have them. Raises ValueError."""
    bare = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.DOTALL)
    bare = re.sub(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])', lambda m: m[1] or m[2], bare)
    try:
        return json.loads(bare)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def package_json(content: Content) -> Iterator[Hit]:
    """Whether npm takes it."""
    if content.file.name != "package.json" or content.file.is_test:
        return
    try:
        data = json.loads(content.text)
    except (ValueError, RecursionError) as error:
        yield Hit(content.file.path, getattr(error, "lineno", 0), "is no valid JSON")
        return
    if not isinstance(data, dict):
        yield Hit(content.file.path, 1, "is no object")
        return
    name, version = data.get("name"), data.get("version")
    if name is not None and (not isinstance(name, str) or not _NAME.match(name) or len(name) > 214):
        yield Hit(
            content.file.path, first_line(content.text, r'"name"'), "npm does not take this name", rule=""
        )
    if version is not None and (not isinstance(version, str) or not _SEMVER.match(version)):
        yield Hit(
            content.file.path, first_line(content.text, r'"version"'), "the version is not of the form 1.2.3"
        )
    for key in ("dependencies", "devDependencies", "scripts", "peerDependencies"):
        if key in data and not isinstance(data[key], dict):
            yield Hit(content.file.path, first_line(content.text, f'"{key}"'), f"{key} must be an object")
    both = _keys(data, "dependencies") & _keys(data, "devDependencies")
    for word in sorted(both):
        yield Hit(
            content.file.path, first_line(content.text, f'"{re.escape(word)}"'), f"{word} is declared twice"
        )


def _keys(data: dict[str, Any], name: str) -> set[str]:
    found = data.get(name)
    return set(found) if isinstance(found, dict) else set()


def install_scripts(content: Content) -> Iterator[Hit]:
    """Scripts of npm's that run at installation, and do more than build."""
    if content.file.name != "package.json":
        return
    try:
        scripts = json.loads(content.text).get("scripts") or {}
    except (ValueError, AttributeError, RecursionError):
        return
    for name in _INSTALL if isinstance(scripts, dict) else ():
        command = scripts.get(name)
        if isinstance(command, str) and (_SUSPECT.search(command) or name in ("preinstall", "postinstall")):
            if name == "preinstall" and "only-allow" in command:
                continue
            grave = _SUSPECT.search(command) is not None
            line = first_line(content.text, f'"{name}"')
            yield Hit(
                content.file.path, line, f"{name} runs: {command[:80]}", severity="medium" if grave else None
            )


def tsconfig(content: Content) -> Iterator[Hit]:
    """strict off, or never set where nothing is inherited."""
    if content.file.name != "tsconfig.json" or content.file.is_test:
        return
    try:
        data = parse(content.text)
    except ValueError:
        yield Hit(content.file.path, 0, "is no valid JSON")
        return
    options = data.get("compilerOptions") if isinstance(data, dict) else None
    if not isinstance(options, dict) or options.get("strict") is True:
        return
    if options.get("strict") is False:
        found = re.search(rb'"strict"\s*:\s*(false)', content.data)
        edits = (Edit(found.start(1), found.end(1), b"true"),) if found else ()
        line = content.line(found.start()) if found else 0
        yield Hit(content.file.path, line, "strict is off", edits, "unsafe" if edits else "no")
    elif "extends" not in data and "references" not in data:
        found = re.search(rb'"compilerOptions"\s*:\s*\{', content.data)
        comma = b"," if options else b""
        edits = (Edit(found.end(), found.end(), b'\n    "strict": true' + comma),) if found else ()
        yield Hit(
            content.file.path,
            content.line(found.start()) if found else 0,
            "strict is not set",
            edits,
            "unsafe" if edits else "no",
        )


def js_locks(repo: Repository) -> Iterator[Hit]:
    """Lock files of more than one package manager beside one package.json."""
    for manifest in repo.named("package.json"):
        folder = manifest.path.removesuffix("package.json")
        found = [name for name in LOCKS if folder + name in repo.files]
        kinds = {
            name.partition(".")[0].removesuffix("-lock").replace("npm-shrinkwrap", "package")
            for name in found
        }
        if len(kinds) > 1:
            yield Hit(manifest.path, 0, f"{' and '.join(found)} lie side by side", anchor=" ".join(found))
