"""The questions of a running job: asked, answered, withdrawn or out of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mybro.events import Answered, Choice, JobAsked, QuestionWithdrawn
from mybro.executor.claude.permissions import Ask
from mybro.executor.hand import Job, Report


class Questions:
    """Numbers go out with `JobAsked` and come back with `Answered`."""

    def __init__(self, job: Job, report: Report, timeout_s: float) -> None:
        """Whoever asks the person counts `timeout_s`, from when the question has been heard out."""
        self._job = job
        self._report = report
        self._timeout_s = timeout_s
        self._open: dict[int, asyncio.Future[Answered]] = {}

    async def permission(self, ask: Ask) -> Answered:
        """Ask for a yes or no."""
        return await self._ask(
            lambda number: JobAsked(
                self._job.number, number, "plan" if ask.plan else "permission", ask.text,
                detail=ask.detail, object=ask.object, risk=ask.risk, timeout_s=self._timeout_s,
            )
        )  # fmt: skip

    async def choice(self, text: str, choices: Sequence[Choice]) -> Answered:
        """Ask which of several."""
        detail = "\n".join(f"{c.label}: {c.description}" if c.description else c.label for c in choices)
        return await self._ask(
            lambda number: JobAsked(
                self._job.number, number, "choice", text, detail=detail, risk="read",
                choices=tuple(choices), timeout_s=self._timeout_s,
            )
        )  # fmt: skip

    def answer(self, answer: Answered) -> None:
        """Take an answer; one to a question that is not open is ignored."""
        waiting = self._open.get(answer.question)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _ask(self, event: Callable[[int], JobAsked]) -> Answered:
        """Ask and wait for a person, or for the time to be over; what nobody needs any more is withdrawn."""
        number = self._job.next_question()
        waiting: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._open[number] = waiting
        try:
            await self._report(event(number))
            return await waiting
        finally:
            del self._open[number]
            if not waiting.done() or waiting.cancelled():
                await self._report(QuestionWithdrawn(number))
