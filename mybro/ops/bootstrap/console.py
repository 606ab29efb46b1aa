"""Progress lines, and children whose output is shown only when they fail."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SHOWN_LINES = 25
"""How much of a failed child's output is printed: its end, where the reason stands."""

INSTALL_TIMEOUT_S = 1800.0


class SetupError(Exception):
    """Something that a person has to mend; the message is a readable sentence."""


def say(line: str) -> None:
    """Print a progress line to stderr."""
    sys.stderr.write(f"mybro: {line}\n")
    sys.stderr.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce a step, and how long it took."""
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - start:.0f} s")


def call(
    command: Sequence[str | Path],
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    live: bool = False,
    timeout_s: float = INSTALL_TIMEOUT_S,
) -> str:
    """Run a child to its end and return its stdout.

    `live` lets it draw its own progress on a terminal's stderr. Raises `SetupError` with the end of its
    output where it fails, is not there, or takes longer than `timeout_s` seconds.
    """
    stderr = None if live and sys.stderr.isatty() else subprocess.PIPE
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
            text=True, errors="replace", timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(f"{what} was stopped after {timeout_s:.0f} s") from None
    except OSError as error:
        raise SetupError(f"{what} did not start: {error}") from None
    if done.returncode != 0:
        output = f"{done.stdout or ''}{done.stderr or ''}".strip().splitlines()[-SHOWN_LINES:]
        raise SetupError("\n".join([f"{what} failed (exit status {done.returncode})", *output]))
    return done.stdout
