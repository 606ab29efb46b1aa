"""Requests waiting for a recogniser: what was confirmed is kept, of what is on trial only the newest."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One stretch of sound to transcribe."""

    number: int
    turn: int
    pcm: bytes = field(repr=False)
    """Mono 16-bit little-endian samples at 16 kHz."""
    prompt: str = field(default="", repr=False)
    language: str = "en"
    speculative: bool = False
    quick: bool = False
    """Whether the first answer will do."""
    call: str = ""
    """A phrase that may stand first: `Hints.call`."""


class Mailbox:
    """Between the thread that reads requests and the thread that answers them.

    A newer speculative request of a turn replaces the older one that waits; a confirmed one is never
    replaced, and comes before all speculative ones.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._waiting: list[Request] = []
        self._running: int | None = None
        self._suppressed = False
        self._closed = False
        self._changed = threading.Condition()

    def put(self, request: Request) -> Request | None:
        """Queue a request; returns the one that had to go: replaced, or the new one where all is full."""
        with self._changed:
            gone = None
            if request.speculative:
                older = [w for w in self._waiting if w.speculative and w.turn == request.turn]
                if older:
                    gone = older[0]
                    self._waiting.remove(gone)
            if len(self._waiting) >= self._depth:
                gone = next((w for w in self._waiting if w.speculative), request)
                if gone is request:
                    return gone
                self._waiting.remove(gone)
            self._waiting.append(request)
            self._changed.notify()
            return gone

    def take(self) -> Request | None:
        """Wait for the next request; None once the mailbox is closed."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            confirmed = (w for w in self._waiting if not w.speculative)
            request = next(confirmed, self._waiting[0])
            self._waiting.remove(request)
            self._running, self._suppressed = request.number, False
            return request

    def drop(self, number: int) -> bool:
        """Forget a waiting request (True), or mark the running one's answer as unwanted (False)."""
        with self._changed:
            for waiting in self._waiting:
                if waiting.number == number:
                    self._waiting.remove(waiting)
                    return True
            if self._running == number:
                self._suppressed = True
            return False

    def finish(self) -> bool:
        """The running request has its answer; returns whether anybody still wants it."""
        with self._changed:
            wanted = not self._suppressed
            self._running, self._suppressed = None, False
            return wanted

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
