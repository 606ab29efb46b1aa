"""Landlock, Linux's sandbox without a helper program: `python landlock.py RULES COMMAND...`.

The process restricts itself and becomes the command. Rules can only allow, and hold for all that is below a
path: around what is hidden, everything else is allowed piece by piece, so what is new beside it cannot be
read. Rights and times of files can be changed anywhere, folders listed, and what is "fixed" inside of
something writable can be written. Source: landlock(7); system calls by number, for the C library has no
functions.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _PR_SET_NO_NEW_PRIVS = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14
_ALL = (1 << 15) - 1
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OLDEST_ABI = 3
"""Linux 6.2: before, files could be emptied anywhere."""
_DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",  # noqa: S108
)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def wrap(rules: Iterable[tuple[Path, str]], argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` under `rules`, outer paths first."""
    told = json.dumps([[str(path), rule] for path, rule in rules])
    return [sys.executable, "-I", "-S", __file__, told, *argv]


def grants(rules: dict[str, str], path: str = "/", rule: str = "fixed") -> Iterator[tuple[str, int]]:
    """What to allow where. A folder that is writable is allowed as a whole, but for what is hidden in it."""
    rule = rules.get(path, rule)
    below = path.rstrip("/") + "/"
    inner = {other for other, its in rules.items() if other.startswith(below)}
    apart = inner if rule != "writable" else {other for other in inner if rules[other] == "hidden"}
    if not apart:
        if rule != "hidden":
            yield path, _ALL if rule == "writable" else _READ
        return
    try:
        places = list(Path(path).iterdir())
    except OSError:
        return
    for place in places:
        if not place.is_symlink():
            yield from grants(rules, str(place), rule)


def restrict(rules: dict[str, str]) -> None:
    """Bind this process and all that it starts. Raises `OSError` where the kernel cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG) < _OLDEST_ABI:
        raise OSError(ctypes.get_errno(), "landlock is missing or too old")
    handled = ctypes.c_uint64(_ALL)
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(handled), ctypes.c_size_t(8), 0))
    allowed = [("/", _READ_DIR), *grants(rules), *((device, _ALL) for device in _DEVICES)]
    for path, rights in allowed:
        try:
            place = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
        except OSError:
            continue
        beneath = _Beneath(rights if Path(path).is_dir() else rights & _FOR_FILES, place)
        _checked(libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0))
        os.close(place)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock refused")
    return result


def main(argv: Sequence[str]) -> int:
    rules, command = dict(json.loads(argv[1])), list(argv[2:])
    try:
        restrict(rules)
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"{command[0]} was not started in its sandbox: {error}\n")
    return 126


if __name__ == "__main__":
    sys.exit(main(sys.argv))
