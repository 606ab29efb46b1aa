"""The commands that only knock at a running session, answered before the command line is even imported.

A key that is bound to `mybro stop` or `mybro ptt toggle` is felt at once so. Only the plainest forms are
taken; everything else, and every trouble, is left to the whole command line, which means the same by them.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

TAKEN = "The running session has it: see mybro status"


def quick(arguments: Sequence[str]) -> int | None:
    """The exit status; None where it is not for here."""
    match list(arguments):
        case ["status"]:
            return _tell("status", "says")
        case ["stop"]:
            return _tell("stop", "", "Stopped.")
        case ["ptt", ("down" | "up" | "toggle") as key]:
            return _tell("ptt", "held", key=key)
        case ["say", *words] if words and not any(word.startswith("-") for word in words):
            text = " ".join(words).strip()
            return _say(text) if text else None
    return None


def _tell(do: str, what: str, told: str = "", **fields: Any) -> int | None:
    from mybro.ops.knock import ask

    reply = ask(do, None, **fields)
    if reply is None:
        return None
    if "ok" not in reply:
        return _refused(reply)
    found = reply["ok"].get(what)
    return _print(told or ("Listening." if found is True else "Not listening." if found is False else found))


def _say(text: str) -> int | None:
    """To the session of the repository that one is in; without one, `mybro say` does it itself."""
    from mybro.ops.knock import SOCKET_VARIABLE, ask, repository

    if SOCKET_VARIABLE in os.environ:
        return None  # what a session has started does not speak for the person unasked
    reply = ask("say", repository(os.curdir), text=text)
    if reply is None:
        return None
    return _print(TAKEN) if "ok" in reply else _refused(reply)


def _print(line: str) -> int:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _refused(reply: dict[str, Any]) -> int:
    error = reply["error"]
    message = error.get("message", "the session ended before it answered")
    hint = error.get("hint", "")
    sys.stderr.write(f"mybro: {message}. {hint}".rstrip() + "\n" if hint else f"mybro: {message}\n")
    return 1
