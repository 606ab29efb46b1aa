"""Actions that are understood and not done here."""

from __future__ import annotations

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.work import Work


async def switch_repository(_work: Work) -> Outcome:
    raise ExecutorError(
        "not_here", "I cannot change the repository while running", hint="Start mybro run --repo FOLDER."
    )


async def switch_agent(_work: Work) -> Outcome:
    raise ExecutorError("not_here", "there is only one coding agent")
