"""What to do when a process that should run has ended: by cause, with limits, and never for ever. Pure."""

from __future__ import annotations

import signal
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

HOUR_S = 3600.0
FAULT = 255
"""The exit status of a process that met an error which nobody had foreseen."""
WRONG_SETTINGS = 2
GAVE_UP = 78
"""The exit status of a supervisor that has stopped trying: sysexits' EX_CONFIG, which nothing here means."""
SMALLER_VARIABLE = "MYBRO_SMALLER_MODEL"
"""Tells a session by how many sizes its speech model is to be smaller than the chosen one."""


class Cause(StrEnum):
    """Why a process ended."""

    STOPPED = "stopped"
    """It was asked to, or had nothing left to do: no crash."""
    SEGFAULT = "segfault"
    """139, and the other signals of broken native code."""
    MEMORY = "memory"
    """137: the system kills so when memory runs out."""
    FAULT = "fault"
    """255: an unhandled exception."""
    REFUSED = "refused"
    """It said why it cannot run, such as a port that is taken: that may pass."""
    SETTINGS = "settings"
    """It cannot run with these settings, however often it is tried."""


_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NATIVE = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE, signal.SIGTRAP)

LIMITS: dict[Cause, int] = {Cause.SEGFAULT: 3, Cause.MEMORY: 2, Cause.FAULT: 3, Cause.REFUSED: 3}
"""Restarts within an hour; a cause that is not here is no reason for one."""
DELAYS_S: dict[Cause, tuple[float, ...]] = {
    Cause.SEGFAULT: (0.0, 1.0, 5.0),
    Cause.MEMORY: (1.0, 5.0),
    Cause.FAULT: (0.0, 1.0, 5.0),
    Cause.REFUSED: (2.0, 15.0, 60.0),
}
"""Before each of them."""

_TOLD: dict[Cause, str] = {
    Cause.SEGFAULT: "native code crashed",
    Cause.MEMORY: "the system killed it, most likely for want of memory",
    Cause.FAULT: "it met an error that it did not expect",
    Cause.REFUSED: "it could not run",
    Cause.SETTINGS: "its settings cannot be used",
    Cause.STOPPED: "it was stopped",
}
_ADVICE: dict[Cause, str] = {
    Cause.SEGFAULT: "Look at the log, and for a newer version of what crashed",
    Cause.MEMORY: "Close other programs, or set a smaller model: mybro config set transcribe.model tiny.en",
    Cause.FAULT: "Report it with the log, which holds nothing of what was said",
    Cause.REFUSED: "Look at the log",
    Cause.SETTINGS: "Run: mybro config",
    Cause.STOPPED: "",
}


def cause_of(status: int) -> Cause:
    """The cause of an exit status: negative for a signal, as Python has it, or 128 and the signal."""
    number = -status if status < 0 else status - 128 if 128 < status < FAULT else 0
    if status == 0 or number in _STOPS:
        return Cause.STOPPED
    if number == signal.SIGKILL:
        return Cause.MEMORY
    if number in _NATIVE:
        return Cause.SEGFAULT
    if status == WRONG_SETTINGS:
        return Cause.SETTINGS
    return Cause.FAULT if status == FAULT or number else Cause.REFUSED


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done."""

    cause: Cause
    restart: bool
    why: str
    """A sentence for the log and for the person."""
    delay_s: float = 0.0
    shrink: int = 0
    """So many sizes smaller than chosen the next one's model is to be."""
    debug: bool = False
    """The next one is to tell more about itself."""
    alert: bool = False
    """The person is to be told at once."""
    hint: str = ""


@dataclass
class Policy:
    """Judges the ends of one process after another. Told the time, in seconds that only grow."""

    shrink: int = 0
    debug: bool = False
    _ends: dict[Cause, deque[float]] = field(default_factory=dict)

    def judge(self, status: int, now: float, *, asked: bool = False) -> Decision:
        """What follows from an end; `asked`: it was told to end, so that no status is a crash."""
        cause = Cause.STOPPED if asked else cause_of(status)
        why = f"It ended with status {_shown(status)}: {_TOLD[cause]}"
        if cause not in LIMITS:
            return Decision(cause, restart=False, why=why, hint=_ADVICE[cause], alert=cause is Cause.SETTINGS)
        ends = self._ends.setdefault(cause, deque())
        while ends and now - ends[0] >= HOUR_S:
            ends.popleft()
        if len(ends) >= LIMITS[cause]:
            why = f"{why}, and {LIMITS[cause]} restarts within an hour did not help. It stays stopped"
            return Decision(cause, restart=False, why=why, hint=_ADVICE[cause], alert=True)
        delay = DELAYS_S[cause][len(ends)]
        ends.append(now)
        if cause is Cause.MEMORY:
            self.shrink += 1
        if cause is Cause.FAULT:
            self.debug = True
        return Decision(
            cause, True, why, delay, self.shrink, self.debug, alert=cause is Cause.FAULT, hint=_ADVICE[cause]
        )


def _shown(status: int) -> str:
    """As a shell has it."""
    return str(128 - status if status < 0 else status)
