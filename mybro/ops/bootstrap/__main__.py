"""`python -m mybro.ops.bootstrap TARGET [ARGUMENTS]`, as the Makefile calls it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mybro.ops.bootstrap import engine, environment, lanes, locks, machine, suite
from mybro.ops.bootstrap.console import SetupError, say
from mybro.ops.bootstrap.places import CACHE, ROOT, VENV, in_venv

INTERRUPTED = 130
WRONG_USAGE = 2


def setup(_arguments: Sequence[str]) -> int:
    """A .venv with mybro in it, and the system packages it uses"""
    _provide("setup", again=True)
    say(f"ready. Next: {in_venv('mybro').relative_to(ROOT)} setup  (or: make demo)")
    return 0


def demo(arguments: Sequence[str]) -> int:
    """Watch spoken commands mend a small project"""
    return _become("demo", arguments)


def run(arguments: Sequence[str]) -> int:
    """Listen, and do what is said"""
    return _become("run", arguments)


def test(arguments: Sequence[str]) -> int:
    """The whole suite with its coverage; ARGS=... for one pytest with those"""
    _provide("test")
    return suite.test(arguments)


def trials(arguments: Sequence[str]) -> int:
    """Every heavy trial in full"""
    _provide("test")
    return suite.trials(arguments)


def lint(arguments: Sequence[str]) -> int:
    """Style, types for Linux and macOS, direction of imports"""
    _provide("test", system=False)
    return lanes.lint(arguments)


def tidy(arguments: Sequence[str]) -> int:
    """Format the code and mend what can be mended by itself"""
    _provide("test", system=False)
    return lanes.tidy(arguments)


def bench(arguments: Sequence[str]) -> int:
    """The benchmarks; ARGS=NAME for one"""
    _provide("test")
    return lanes.bench(arguments)


def rust(_arguments: Sequence[str]) -> int:
    """Build the Rust engine and install it; without it mybro does the same in Python"""
    _provide("setup")
    engine.install()
    return 0


def requirements(arguments: Sequence[str]) -> int:
    """Compile requirements/*.txt from pyproject.toml; ARGS=--upgrade for newer versions"""
    return locks.compile_all(arguments)


def clean(_arguments: Sequence[str]) -> int:
    """Remove what the other targets made"""
    for made in (CACHE, VENV, *(ROOT / f".{tool}_cache" for tool in ("mypy", "ruff", "pytest"))):
        shutil.rmtree(made, ignore_errors=True)
    return 0


TARGETS: dict[str, Callable[[Sequence[str]], int]] = {
    "setup": setup,
    "demo": demo,
    "run": run,
    "test": test,
    "trials": trials,
    "lint": lint,
    "format": tidy,
    "bench": bench,
    "rust": rust,
    "requirements": requirements,
    "clean": clean,
}


def _provide(stage: environment.Stage, *, again: bool = False, system: bool = True) -> None:
    with _alone():
        if system:
            machine.provide(("setup",) if stage == "setup" else ("setup", "test"), again=again)
        environment.provide(stage)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second `make` from working on the same environment at the same time."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another make to finish setting up")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _become(verb: str, arguments: Sequence[str]) -> int:
    _provide("setup")
    command = [str(in_venv("mybro")), verb, *arguments]
    os.execv(command[0], command)  # noqa: S606 - no shell, and signals reach mybro itself


def usage() -> str:
    """What every target does."""
    width = max(map(len, TARGETS))
    return "\n".join(f"  make {name:<{width}}  {what.__doc__}" for name, what in TARGETS.items())


def main(arguments: Sequence[str]) -> int:
    """Run one target; returns the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What starts in the background of a script begins with Ctrl-C ignored, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not arguments or arguments[0] not in TARGETS:
        sys.stdout.write(usage() + "\n")
        return 0 if arguments == ["help"] else WRONG_USAGE
    try:
        return TARGETS[arguments[0]](arguments[1:])
    except SetupError as trouble:
        say(str(trouble))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
