"""What is wrong with a repository as git keeps it."""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.own.place import Hit

LARGE_BYTES = 10 << 20
_SECRET_NAMES = (
    ".env",
    ".env.local",
    ".env.production",
    ".env.prod",
    ".env.development.local",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.keystore",
    "*.jks",
    ".netrc",
    ".pypirc",
    ".htpasswd",
    "*.kdbx",
    "credentials.json",
    "service-account*.json",
    ".git-credentials",
    "*.mobileprovision",
    "*.ovpn",
)
_MADE = (
    (".DS_Store", "made by Finder"),
    ("Thumbs.db", "made by Windows"),
    ("*.pyc", "compiled Python"),
    ("*.pyo", "compiled Python"),
    ("*.o", "compiled"),
    ("*.class", "compiled Java"),
    ("*.swp", "an editor's"),
    ("*~", "an editor's"),
    ("npm-debug.log*", "a log"),
    ("yarn-error.log", "a log"),
    (".coverage", "a measurement"),
    ("*.egg", "a build"),
    ("*.dSYM", "a build"),
    ("*.xcuserstate", "an editor's"),
    ("*.orig", "left by a merge"),
    ("*.rej", "left by a patch"),
    ("core.[0-9]*", "a crash"),
)
_MADE_FOLDERS = frozenset(
    {
        "__pycache__",
        "node_modules",
        ".venv",
        "venv",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".tox",
        ".idea",
        "xcuserdata",
        "DerivedData",
        ".next",
        ".nuxt",
        ".terraform",
        ".ipynb_checkpoints",
        ".eggs",
    }
)
_BUILT = re.compile(r"(?:^|/)target/(?:debug|release)/")
_WANTED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("python", ("__pycache__/", ".venv/"), ("a/__pycache__/x.pyc", ".venv/bin/python")),
    ("javascript", ("node_modules/",), ("node_modules/a/b.js",)),
    ("typescript", ("node_modules/",), ("node_modules/a/b.js",)),
    ("rust", ("target/",), ("target/debug/a",)),
    ("swift", (".build/", "xcuserdata/"), (".build/debug/a", "A.xcodeproj/xcuserdata/b")),
)
_RESERVED = re.compile(r"(?i)^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.|$)")
_RESERVED_PART = re.compile(r"(?i)(?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|$)")
_PLAIN = re.compile(r"(?:[\w+@][\w.+@-]*(?<!\.)(?:/|\Z))+\Z", re.ASCII)
"""Each part begins with a letter, a digit or "_", ends with no dot, and has no odd sign."""
_UNPORTABLE = re.compile(r'[\x00-\x1f<>:"|?*\\\x7f]')


def _tracked(repo: Repository) -> Iterator[str]:
    return (path for path, file in repo.files.items() if file.tracked)


def secret_files(repo: Repository) -> Iterator[Hit]:
    """Tracked files of names that say what is in them; examples and public halves are none."""
    for path in _tracked(repo):
        name = path.rpartition("/")[2]
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in _SECRET_NAMES):
            data = repo.read(path, 1 << 20)
            text = name.startswith(".env") or name == "credentials.json"
            if text and (data is None or not re.search(rb"(?m)[=:]\s*[\"']?[^\s\"'#{}\[\],]{6,}", data)):
                continue
            yield Hit(path, 0, f"{name} is tracked", anchor=name)


def gitignore(repo: Repository) -> Iterator[Hit]:
    """What this repository's tools make and nothing ignores."""
    if repo.git is None:
        return
    # Judged by git itself, with global excludes off: a colleague does not have them.
    missing: list[str] = []
    for language, patterns, samples in _WANTED:
        if repo.languages[language] and (language != "javascript" or "package.json" in repo.files):
            for pattern, sample in zip(patterns, samples, strict=True):
                if pattern not in missing and not _ignored(repo, sample):
                    missing.append(pattern)
    if not missing:
        return
    data = repo.read(".gitignore")
    start = len(data or b"")
    lead = b"" if not data or data.endswith(b"\n") else b"\n"
    edit = Edit(start, start, lead + "".join(f"{pattern}\n" for pattern in missing).encode())
    yield Hit(
        ".gitignore", 0, f"does not have {', '.join(missing)}", (edit,), "safe", anchor=" ".join(missing)
    )


def _ignored(repo: Repository, sample: str) -> bool:
    from mybro.doctor.git import GitError

    assert repo.git is not None  # noqa: S101
    try:
        told = repo.git.run(
            "-c", "core.excludesFile=/dev/null", "check-ignore", "-v", "--no-index", "--", sample, ok=(0, 1)
        )
    except GitError:
        return True
    return bool(told)


def artefacts(repo: Repository) -> Iterator[Hit]:
    """Tracked things that no person wrote."""
    folders: set[str] = set()
    for path in _tracked(repo):
        parts = path.split("/")
        made = next((part for part in parts[:-1] if part in _MADE_FOLDERS), None)
        if made is None and _BUILT.search(path):
            made = "target"
        if made is not None:
            folder = "/".join(parts[: parts.index(made) + 1])
            if folder not in folders:
                folders.add(folder)
                yield Hit(path, 0, f"{folder}/ is made by a tool", anchor=folder)
            continue
        for pattern, why in _MADE:
            if fnmatch.fnmatchcase(parts[-1], pattern):
                yield Hit(path, 0, f"is {why}", anchor=pattern)
                break


def case_collisions(repo: Repository) -> Iterator[Hit]:
    """Files or folders whose names a Mac takes for the same."""
    seen: dict[str, set[str]] = defaultdict(set)
    every: set[str] = set()
    for path in (*repo.files, *repo.links):
        part = path
        while part and part not in every:
            every.add(part)
            part = part.rpartition("/")[0]
    for path in every:
        seen[unicodedata.normalize("NFC", path).casefold()].add(path)
    told: list[str] = []
    for key in sorted(seen):
        paths = sorted(seen[key])
        if len(paths) > 1 and not key.startswith(tuple(told)):
            told.append(f"{key}/")
            where = paths[1] if paths[1] in repo.files else ""
            yield Hit(where, 0, f"{' and '.join(paths)} are one on macOS", anchor=key)


def large_files(repo: Repository) -> Iterator[Hit]:
    """What is tracked; what Git LFS keeps is small here."""
    for path, file in repo.files.items():
        if file.size > LARGE_BYTES and file.tracked:
            yield Hit(path, 0, f"has {file.size / (1 << 20):.0f} MB", anchor="large")


def broken_links(repo: Repository) -> Iterator[Hit]:
    """Links to what is not there, and submodules that .gitmodules does not name."""
    for path, target in repo.links.items():
        if not target.startswith("/") and not os.path.lexists(
            repo.root / PurePosixPath(path).parent / target
        ):
            yield Hit(path, 0, f"leads to {target}, which is not there", anchor=target)
    named = set(re.findall(r"(?m)^[ \t]*path[ \t]*=[ \t]*(\S(?:.*\S)?)", repo.text(".gitmodules") or ""))
    for path in repo.submodules:
        if path not in named:
            yield Hit(
                path,
                0,
                "is a repository inside of this one that .gitmodules does not name",
                anchor="submodule",
            )


def outside_links(repo: Repository) -> Iterator[Hit]:
    """Links to somewhere on this disk only."""
    for path, target in repo.links.items():
        folder = PurePosixPath(path).parent
        joined = os.path.normpath(folder / target)
        if target.startswith("/") or joined.startswith(".."):
            yield Hit(path, 0, f"leads out of the repository, to {target}", anchor=target)


def odd_names(repo: Repository) -> Iterator[Hit]:
    """Characters and names that Windows refuses, and those that break scripts."""
    for path in (*repo.files, *repo.links):
        if _PLAIN.match(path) and not _RESERVED_PART.search(path):
            continue
        for part in path.split("/"):
            bad = _UNPORTABLE.search(part) or _RESERVED.match(part) or part.endswith((" ", "."))
            if bad or part != part.encode("utf-8", "replace").decode() or part.startswith(("-", " ")):
                yield Hit(path, 0, "has a name that not every system can hold", anchor=part)
                break


def executable(repo: Repository) -> Iterator[Hit]:
    """Shell programs with #! that cannot be started, and data that can."""
    for path, file in repo.files.items():
        if file.vendored or not repo.asked(path):
            continue
        if file.language == "shell" and not file.mode & 0o111 and file.tracked:
            data = repo.read(file, 1 << 20) or b""
            if data.startswith(b"#!"):
                yield Hit(path, 1, "begins with #! and is not executable", anchor="mode")
        elif (
            file.mode & 0o111
            and file.tracked
            and file.language in ("markdown", "json", "yaml", "toml", "css", "html")
        ):
            yield Hit(path, 0, "is executable and no program", anchor="mode")
