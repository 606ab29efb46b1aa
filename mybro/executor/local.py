"""The hand that needs no model: tests, linters, git, renaming, searching."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Answered, Outcome
from mybro.executor.actions.work import Work
from mybro.executor.hand import Job, Report
from mybro.intent import Action, Intent

_ACTIONS = {
    Action.TEST: "testing:run_tests",
    Action.LINT: "linting:lint",
    Action.FORMAT: "linting:format_code",
    Action.GIT_STATUS: "git_reading:status",
    Action.DIFF: "git_reading:diff",
    Action.COMMIT: "git_writing:commit",
    Action.BRANCH: "git_writing:branch",
    Action.PUSH: "git_remote:push",
    Action.PULL_REQUEST: "git_remote:pull_request",
    Action.DOCTOR: "doctor:examine",
    Action.EXPLAIN_FINDING: "doctor:explain",
    Action.FIX_FINDINGS: "doctor:fix",
    Action.DELEGATE_FINDINGS: "doctor:delegate",
    Action.RENAME: "rename:rename",
    Action.FIND_USAGES: "usages:find_usages",
    Action.ADD_PACKAGE: "packages:add",
    Action.REMOVE_PACKAGE: "packages:remove",
    Action.UPGRADE_PACKAGES: "packages:upgrade",
    Action.OUTDATED: "packages:outdated",
    Action.AUDIT: "packages:audit",
    Action.NEW_PROJECT: "projects:new_project",
    Action.SWITCH_REPOSITORY: "elsewhere:switch_repository",
    Action.SWITCH_AGENT: "elsewhere:switch_agent",
}
"""Module and function, imported when first needed."""


class LocalHand:
    """Does local intents, each as its own job; several that only read may run at once."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._running: dict[asyncio.Task[Outcome], Work] = {}

    def handles(self, intent: Intent) -> bool:
        return intent.kind == "local" and intent.action in _ACTIONS

    async def run(self, job: Job, report: Report) -> Outcome:
        """Do the job. Raises `ExecutorError`; "needs_agent" where only a coding session can do it."""
        action = job.intent.action
        if action is None or action not in _ACTIONS:
            raise ExecutorError("needs_agent", "only a coding session can do that")
        work = Work(job, report, self._settings)
        task = asyncio.ensure_future(_function(action)(work))
        self._running[task] = work
        try:
            return await task
        finally:
            self._running.pop(task, None)

    async def stop(self) -> tuple[str, ...]:
        """Cancel what runs; returns when every process of it is dead. A finished action leaves nothing."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return ()

    async def answer(self, answer: Answered) -> None:
        for work in list(self._running.values()):
            work.take_answer(answer)

    async def aclose(self) -> None:
        await self.stop()


def warm_up() -> None:
    """Import what the actions need, so that the first of them does not wait for it."""
    for action in _ACTIONS:
        _function(action)


def _function(action: Action) -> Callable[[Work], Awaitable[Outcome]]:
    module, _, name = _ACTIONS[action].partition(":")
    found: Callable[[Work], Awaitable[Outcome]] = getattr(
        importlib.import_module(f"mybro.executor.actions.{module}"), name
    )
    return found
