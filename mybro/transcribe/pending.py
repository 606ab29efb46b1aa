"""Requests that have been made and not been answered, in the order in which they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from mybro.errors import RecogniserDiedError, TranscriptionError
from mybro.events import Transcribed
from mybro.transcribe.mailbox import Request

MAX_PENDING = 16
TRIES = 2
"""A request that a worker died of is tried again once."""


@dataclass(slots=True)
class _Entry:
    request: Request
    answer: asyncio.Future[Transcribed | None]
    tries: int = 1


class Pending:
    """Each request with the future that its caller waits for; each is settled once."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def add(self, request: Request) -> asyncio.Future[Transcribed | None]:
        """Raises `TranscriptionError` where too many wait, `ValueError` for a number that is in use."""
        if len(self._entries) >= MAX_PENDING:
            raise TranscriptionError("recogniser_busy", "too many sentences wait", retryable=True)
        if request.number in self._entries:
            raise ValueError(f"request {request.number} was made before")
        answer: asyncio.Future[Transcribed | None] = asyncio.get_running_loop().create_future()
        self._entries[request.number] = _Entry(request, answer)
        return answer

    def __iter__(self) -> Iterator[Request]:
        return iter([entry.request for entry in self._entries.values()])

    def get(self, number: int) -> Request | None:
        entry = self._entries.get(number)
        return entry.request if entry else None

    def settle(self, number: int, outcome: Transcribed | TranscriptionError | None) -> bool:
        """Answer a request; None is the answer of one that was dropped. False if nobody waits for it."""
        entry = self._entries.pop(number, None)
        if entry is None:
            return False
        if entry.answer.done():
            pass
        elif isinstance(outcome, TranscriptionError):
            entry.answer.set_exception(outcome)
        else:
            entry.answer.set_result(outcome)
        return True

    def died_of(self, number: int, why: str) -> None:
        """A worker died while it worked on a request: it has one more chance, or had it."""
        entry = self._entries.get(number)
        if entry and entry.tries < TRIES:
            entry.tries += 1
        else:
            self.settle(number, RecogniserDiedError("recogniser_died", why, retryable=True))

    def give_up(self, error: TranscriptionError) -> None:
        for number in list(self._entries):
            self.settle(number, error)
