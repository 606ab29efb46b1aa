"""Commands that cannot be taken back: recognised coarsely, told in words that can be spoken.

A checkpoint brings back what a command did inside the repository, but not what it sent away, what it did
elsewhere, or what it did to git's history. What is not recognised here is asked about all the same.
"""

from __future__ import annotations

import re
from pathlib import Path

from mybro.executor.claude.effects import Danger, by_program, in_text, last_part
from mybro.executor.claude.overwriting import is_inside
from mybro.executor.claude.shell import SHELLS, Simple, UnreadableError, simple_commands

_INTERPRETERS = SHELLS | {"python", "python3", "node", "perl", "ruby"}
_SCRIPT = Danger("run a script that comes out of another command", "script")
_FETCHED = re.compile(
    r"(?:^|[\s;&|(])(?:(?:eval|(?:ba|z|da|k)?sh\s+-\w*c)\s+[\"']?(?:\$\(|`)"
    r"|(?:source|\.|(?:ba|z|da|k)?sh|python3?|node|perl|ruby)\s+(?:-\S+\s+)*<\()"
)
"""`eval "$(curl ...)"`, `bash <(curl ...)` and the like."""
_STREAMS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
_WRITERS = frozenset(
    {"cp", "mv", "tee", "touch", "mkdir", "ln", "install", "rsync", "sed", "perl", "tar", "unzip", "patch"}
)
_HOLDERS = {"/": "the whole disk", "~": "your home folder", "$HOME": "your home folder"}


def find_danger(command: str, repo: Path) -> Danger | None:
    """The first destructive thing that a shell command, run in `repo`, would do."""
    if _FETCHED.search(command):
        return _SCRIPT
    try:
        commands = list(simple_commands(command))
    except UnreadableError:
        return in_text(command)
    return next(filter(None, (_judge(simple, repo) for simple in commands)), None)


def _judge(simple: Simple, repo: Path) -> Danger | None:
    if simple.admin:
        return Danger(f"run {simple.name} as administrator", simple.name)
    if simple.piped and simple.name in _INTERPRETERS and (not simple.words or simple.has("-s")):
        return _SCRIPT
    if simple.argv[0].startswith("$") and "/" not in simple.argv[0]:
        return Danger("run a program that is only known when it runs", "program")
    for file in simple.writes:
        if _outside(file, repo) and file not in _STREAMS:
            return Danger(f"write {_thing(file, repo)} outside the repository", last_part(file))
    danger = _of_files(simple, repo) or by_program(simple)
    if danger is None and simple.name in _WRITERS:
        far = [word for word in simple.words if _outside(word, repo)]
        if far:
            return Danger(f"change {_thing(far[-1], repo)} outside the repository", last_part(far[-1]))
    return danger


def _of_files(simple: Simple, repo: Path) -> Danger | None:
    words = simple.words
    match simple.name:
        case "rm" | "rmdir" | "unlink" | "shred" | "srm" | "trash" | "rimraf":
            if simple.wrapped or not words:
                return Danger("delete whatever another command lists", "files")
            return Danger(f"delete {_things(words, repo)}", last_part(words[0]))
        case "find" if simple.has("-delete"):
            return Danger(f"delete what it finds in {_thing((words or ['.'])[0], repo)}", "files")
        case "dd":
            target = next((word[3:] for word in words if word.startswith("of=")), "a device")
            return Danger(f"overwrite {_thing(target, repo)}", last_part(target))
        case "truncate":
            return Danger(f"empty {_things(words[-1:], repo)}", last_part((words or ["files"])[-1]))
        case "chmod" | "chown" | "chgrp" if simple.has("-R", "--recursive"):
            return Danger(f"change the rights of {_things(words[1:], repo)}", last_part((words or ["."])[-1]))
    return None


def _outside(word: str, repo: Path) -> bool:
    return word.startswith(("~", "$HOME")) or not is_inside(repo / word, repo)


def _thing(word: str, repo: Path) -> str:
    if word in _HOLDERS:
        return _HOLDERS[word]
    if word in (".", "*", "./*", ".."):
        return "everything here"
    if set(word) & set("*?["):
        return f"everything that matches {word}"
    path = repo / word
    kind = "the folder" if path.is_dir() or word.endswith("/") else "the file" if path.is_file() else ""
    return f"{kind} {last_part(word)}".strip()


def _things(words: list[str], repo: Path) -> str:
    if not words:
        return "files"
    if len(words) > 3:
        return f"{len(words)} files and folders, {_thing(words[0], repo)} among them"
    *most, last = [_thing(word, repo) for word in words]
    return f"{', '.join(most)} and {last}" if most else last
