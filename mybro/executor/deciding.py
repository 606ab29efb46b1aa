"""The hand that answers what to build with from the rules and the decision tables, without a model."""

from __future__ import annotations

from pathlib import Path

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError, RulesError
from mybro.events import Answered, Outcome
from mybro.executor.hand import Job, Report
from mybro.intent import Intent
from mybro.rules.decide import Decision, asks, clear
from mybro.rules.layers import load


class DecidingHand:
    """Takes only questions to which there is one clear answer; the others are for an agent."""

    def __init__(self, settings: ExecutorSettings, repo: Path) -> None:
        self._off = settings.rules == "off"
        self._repo = repo

    def handles(self, intent: Intent) -> bool:
        return intent.kind == "question" and self._answer(intent) is not None

    async def run(self, job: Job, report: Report) -> Outcome:
        """Answer. Raises `ExecutorError` where the rules have changed in between."""
        found = self._answer(job.intent)
        if found is None:
            raise ExecutorError("no_answer", "the rules say nothing about that any more", retryable=True)
        return Outcome(f"{found.sentence()}.", detail=f"{found.topic}: {found.need}")

    async def stop(self) -> tuple[str, ...]:
        return ()

    async def answer(self, answer: Answered) -> None:
        """It asks nothing."""

    async def aclose(self) -> None:
        """It holds nothing."""

    def _answer(self, intent: Intent) -> Decision | None:
        if self._off or not asks(intent.text):
            return None
        try:
            return clear(intent.text, load(self._repo))
        except RulesError:
            return None
