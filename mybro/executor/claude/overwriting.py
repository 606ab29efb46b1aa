"""Which files a command puts something else in the place of: `>`, `mv`, `cp`, `tee`, `sort -o` and the like.

Inside the repository a checkpoint brings them back, so that a plain yes to the effect will do. Elsewhere, and
where what is written can run something later, the yes must name the file.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from mybro.executor.checkpoint.entry import Limits
from mybro.executor.claude.effects import Danger, last_part
from mybro.executor.claude.shell import Simple, UnreadableError, simple_commands

PROTECTED = frozenset({".git", ".claude", ".mcp.json"})
"""Inside the repository, yet not covered by its checkpoint, or able to run things later."""

_MADE_AGAIN = frozenset(
    {
        "node_modules", "bower_components", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache",
        ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".cache", "dist", "build", "out",
        "target", "bin", "obj", "coverage", "htmlcov", ".next", ".nuxt", ".output",
        ".svelte-kit", ".turbo", ".parcel-cache", "_build", "site", "_site", "generated", "__generated__",
        ".eggs", ".terraform", ".dart_tool", "deriveddata", "tmp", "logs",
    }
)  # fmt: skip
"""Folders of what builds, tests and package managers make anew."""
_MADE_AGAIN_SUFFIXES = (".pyc", ".log", ".tsbuildinfo")
_GIT_S = 5
_MOST_FILES = 2000

_STREAMS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
_MOVERS = frozenset({"mv", "cp", "install", "ln", "rsync", "scp"})
_EDITORS = frozenset({"sed", "gsed", "perl", "ruby", "gawk"})
_OUTPUTS = {
    "sort": ("-o", "--output"), "shuf": ("-o", "--output"), "curl": ("-o", "--output"),
    "wget": ("-O", "--output-document"), "iconv": ("-o", "--output"), "pandoc": ("-o", "--output"),
    "gcc": ("-o",), "clang": ("-o",), "tree": ("-o",),
}  # fmt: skip
"""The options that name a file to write."""
_SHOWN = 3


def is_inside(path: Path, repo: Path) -> bool:
    """Whether the real path, links followed, lies below the repository's real path."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(repo))


def is_protected(path: Path, repo: Path) -> bool:
    """Of a path inside the repository. Case is ignored, as some file systems do."""
    inside = Path(os.path.realpath(path)).relative_to(os.path.realpath(repo))
    return bool(PROTECTED & {part.casefold() for part in inside.parts})


def gone_for_good(paths: Iterable[Path], repo: Path, limits: Limits) -> bool:
    """Whether a file is among them that neither a checkpoint nor a build brings back once it is written over.

    Paths outside of the repository, and such that are no files, do not count.
    """
    asked: list[Path] = []
    for path in paths:
        # A name that is too long for a file system is no file's.
        if not os.path.isfile(path) or not is_inside(path, repo):  # noqa: PTH113
            continue
        inside = Path(os.path.realpath(path)).relative_to(os.path.realpath(repo))
        folders = {part.casefold() for part in inside.parts[:-1]}
        if _is_made_again(inside.as_posix()):
            continue
        left_out = bool(folders & {name.casefold() for name in limits.folders})
        if not limits.ignored or left_out:
            asked.append(inside)
        elif path.stat().st_size > limits.max_file_bytes:
            return True
    return bool(asked) and _ignored(["check-ignore", "--", *map(str, asked)], repo) != ""


def ignored_below(places: Iterable[Path], repo: Path, suffixes: tuple[str, ...] = ()) -> bool:
    """Whether anything is ignored below one of the places, but for what is made again.

    `suffixes`: only files with one of these endings count.
    """
    roots = [Path(os.path.realpath(place)) for place in places]
    paths = [Path(os.path.realpath(repo), name) for name in ignored(repo)]
    paths = [path for path in paths if not suffixes or path.suffix in suffixes or _holds(path, suffixes)]
    return any(path.is_relative_to(root) or root.is_relative_to(path) for path in paths for root in roots)


def _holds(folder: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether a folder has such files in it; one that is too large to tell has."""
    seen = 0
    for _, _, files in os.walk(folder):
        seen += len(files)
        if seen > _MOST_FILES or any(name.endswith(suffixes) for name in files):
            return True
    return False


def ignored(repo: Path) -> list[Path]:
    """What git ignores in a working tree and nothing makes again: files, and folders of only such."""
    told = _ignored(["ls-files", "-z", "-oi", "--exclude-standard", "--directory"], repo)
    return [Path(name) for name in told.split("\0") if name and not _is_made_again(name)]


def _is_made_again(told: str) -> bool:
    """Of a path as git tells it, a folder's with a slash at its end: a file may be called "build", too."""
    *folders, name = told.casefold().split("/")
    return not _MADE_AGAIN.isdisjoint(folders) or name.endswith(_MADE_AGAIN_SUFFIXES)


def _ignored(words: list[str], repo: Path) -> str:
    """What git says it ignores and does not track; a git that hangs counts as a yes."""
    # Nothing that the repository sets is run by this.
    argv = ["git", "-c", "core.fsmonitor=", *words]
    try:
        done = subprocess.run(
            argv, cwd=repo, stdin=subprocess.DEVNULL, capture_output=True, timeout=_GIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "."
    except OSError:
        return ""
    return done.stdout.decode(errors="replace")


def far_target(command: str, repo: Path) -> Danger | None:
    """The first file that it writes outside the repository, or where that can run something later."""
    for word in _targets(command, repo):
        if word.startswith(("~", "$HOME")) or not is_inside(repo / word, repo):
            return Danger(f"write {last_part(word)} outside the repository", last_part(word))
        if is_protected(repo / word, repo):
            return Danger(f"change {last_part(word)}, which steers git or Claude itself", last_part(word))
    return None


def lost_target(command: str, repo: Path, limits: Limits) -> Danger | None:
    """The first file that it writes over, edits in place or moves away, and that nothing brings back."""
    for word in (*_targets(command, repo), *_edited(command)):
        if gone_for_good([repo / word], repo, limits):
            name = last_part(word)
            return Danger(f"write over {name}, which git ignores and no checkpoint keeps", name)
    return None


def overwritten(command: str, repo: Path) -> str | None:
    """What is lost of the repository's own files, to follow "It wants to": "overwrite notes.txt"."""
    there = [word for word in _targets(command, repo) if os.path.lexists(repo / word)]
    names = list(dict.fromkeys(last_part(word) for word in there if not (repo / word).is_dir()))
    if not names:
        return None
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    *most, last = [*names[:_SHOWN], *more]
    return f"overwrite {', '.join(most)} and {last}" if most else f"overwrite {last}"


def _targets(command: str, repo: Path) -> Iterator[str]:
    """The files that a command writes to, as far as that can be told from its words."""
    try:
        commands = list(simple_commands(command))
    except UnreadableError:
        return
    for simple in commands:
        for word in (*simple.writes, *_of_program(simple, repo)):
            if word not in _STREAMS and not set(word) & set("$`*?"):
                yield word


def _edited(command: str) -> Iterator[str]:
    """The files that a command edits in place, or gives another name."""
    try:
        commands = list(simple_commands(command))
    except UnreadableError:
        return
    for simple in commands:
        options = [word for word in simple.argv[1:] if word.startswith("-")]
        inplace = any(word.startswith("--in-place") or re.match(r"-[a-z]*i", word) for word in options)
        if simple.name == "mv" or (simple.name in _EDITORS and inplace):
            yield from simple.words


def _of_program(simple: Simple, repo: Path) -> Iterator[str]:
    if simple.name == "tee":
        yield from simple.words
    elif simple.name in _MOVERS:
        yield from _moved(simple, repo)
    elif simple.name in _OUTPUTS:
        for option in _OUTPUTS[simple.name]:
            yield from _values(simple.argv[1:], option)


def _moved(simple: Simple, repo: Path) -> Iterator[str]:
    """Where sources go: one name, or each its own in a folder."""
    folders = [value for option in ("-t", "--target-directory") for value in _values(simple.argv[1:], option)]
    words = [word for word in simple.words if word not in folders]
    if not folders and len(words) < 2:
        return
    *sources, target = [*words, folders[0]] if folders else words
    if folders or (repo / target).is_dir() or target.endswith("/") or len(sources) > 1:
        yield from (str(PurePath(target) / PurePath(source).name) for source in sources)
    else:
        yield target


def _values(argv: tuple[str, ...], option: str) -> Iterator[str]:
    """What an option is given: "-o x", "-ox", "--output x", "--output=x"."""
    long = option.startswith("--")
    for at, word in enumerate(argv):
        if word == option and at + 1 < len(argv):
            yield argv[at + 1]
        elif long and word.startswith(option + "="):
            yield word.partition("=")[2]
        elif not long and word.startswith(option) and not word.startswith("--") and len(word) > 2:
            yield word[2:]
