"""What a hand cannot do itself: it goes to a coding session, and what comes of it can be looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mybro.errors import ExecutorError
from mybro.events import Outcome

Judge = Callable[[Outcome], Awaitable[Outcome]]


class HandoverError(ExecutorError):
    """Only a coding session can do it. Ends the job of the hand that raises it, not the job itself."""

    def __init__(self, message: str, task: str = "", judge: Judge | None = None) -> None:
        """`task`: what the session is told in place of the person's words; `judge` looks at what came of it,
        within the job.
        """
        super().__init__("needs_agent", message)
        self.task = task
        self.judge = judge
