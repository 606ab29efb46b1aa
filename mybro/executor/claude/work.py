"""One job in a session: its progress, its questions, its files, its outcome."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from mybro.errors import ExecutorError
from mybro.events import JobAnswered, JobProgressed, Outcome
from mybro.executor import rulings
from mybro.executor.checkpoint.entry import Limits
from mybro.executor.claude import faults, permissions, prompts, steps, tools
from mybro.executor.claude.messages import (
    Followed,
    Message,
    PermissionAsked,
    PermissionWithdrawn,
    Retrying,
    Said,
    ToolEnded,
    ToolUsed,
    Words,
)
from mybro.executor.claude.permissions import Allow, Ask, AskChoices, Choices, Decision, Deny, Grant
from mybro.executor.claude.plans import Plans
from mybro.executor.claude.questions import Questions
from mybro.executor.claude.turn import Turn
from mybro.executor.hand import Job, Report
from mybro.executor.strays import Family
from mybro.rules.model import Violation

_OUTPUT_LINES = 12
_OUTPUT_CHARS = 400

_log = logging.getLogger(__name__)


class CodingSession(Protocol):
    """A conversation with an agent about one repository, kept by whatever protocol it speaks."""

    plans: Plans
    last: Turn
    """What the last turn has come to, while it runs and however it ended."""

    @property
    def family(self) -> Family | None:
        """The running agent's processes; None before its first turn."""
        ...

    async def warm(self) -> None:
        """Have a process that waits for a prompt. Raises `ExecutorError`."""
        ...

    async def turn(self, prompt: str, on_message: Callable[[Message], Awaitable[None]]) -> Turn:
        """Send a prompt; messages go to `on_message` in order until all is done. Raises `TurnError`."""
        ...

    async def reply(self, request: str, decision: Decision) -> None:
        """Answer a `PermissionAsked` of the running turn."""
        ...

    async def aclose(self) -> None:
        """End the process; the session can be taken up again where the agent can."""
        ...


@runtime_checkable
class TakesMore(Protocol):
    """A session to whose running turn something can be added."""

    async def add(self, prompt: str) -> str | None:
        """Send a prompt into the running turn; what `Followed` names it by, None where that cannot be."""
        ...


_KEPT = Limits()


class Work:
    """Runs one job; `always` are the permissions that hold for the rest of the session."""

    def __init__(
        self,
        job: Job,
        report: Report,
        session: CodingSession,
        questions: Questions,
        always: set[str],
        rules: Literal["mend", "tell", "off"] = "off",
        kept: Limits = _KEPT,
    ) -> None:
        self._kept = kept
        self.questions = questions
        self._job = job
        self._report = report
        self._session = session
        self._always = always
        self._rules = rules
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._commands: set[str] = set()
        self._edits: dict[str, str] = {}
        """Files that a tool use under way writes, relative to the repository."""
        self._changed: set[str] = set()
        self._said = ""
        self._turns = Turn()
        """What the turns have come to, all together."""
        self._running = False
        """Whether a turn runs, which they do not tell of yet."""
        self._retried = False
        self._asides: dict[str, int] = {}
        """Questions that were put during the turn: the jobs they are, by prompt."""
        self._asked: list[int] = []
        """Of those, the ones that the agent has seen and not answered."""
        self._aside = ""

    async def run(self) -> Outcome:
        """Do the job. Raises `TurnError`, with what the job cost."""
        try:
            turn = await self._turn(prompts.prompt(self._job.intent))
            return await self._settle(steps.spoken(turn.text) or "That is done.")
        except faults.TurnError as error:
            if self._turns.session:
                error.outcome = self._outcome(error.message + ".")
            raise
        except asyncio.CancelledError:
            self._job.known.append(self._outcome(""))
            raise
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _turn(self, prompt: str) -> Turn:
        self._running = True
        try:
            return await self._session.turn(prompt, self._take)
        finally:
            self._running, self._turns = False, self._turns.then(self._session.last)

    async def _settle(self, summary: str) -> Outcome:
        """Hold what was written against the rules; what breaks them may be mended in one more turn."""
        broken = await self._broken()
        if broken and self._rules == "mend":
            await self._progress("it breaks your rules: it is being changed")
            try:
                more = await self._turn(rulings.to_mend(broken))
            except faults.TurnError as error:
                # The work itself is done: what is left is told below.
                await self._progress(f"it was not changed: {error.message}")
            else:
                summary = steps.spoken(more.text) or summary
            broken = await self._broken()
        outcome = self._outcome(summary)
        if not broken:
            return outcome
        detail = f"{outcome.detail}\n\n{rulings.listing(broken)}"
        return replace(outcome, summary=f"{summary} {rulings.told(broken)}", detail=detail)

    async def _broken(self) -> list[Violation]:
        job = self._job
        if self._rules == "off" or job.written is None or prompts.reads_only(job.intent):
            return []
        try:
            return await asyncio.to_thread(rulings.broken_by, job.repo, await job.written())
        except ExecutorError:
            return []  # without a checkpoint, which is told where the job ends

    async def add(self, more: Job) -> bool:
        """Have something done, or a question answered, within the running turn; False if it takes nothing."""
        session = self._session
        if not isinstance(session, TakesMore):
            return False
        prompt = await session.add(prompts.added(more.intent))
        if prompt is not None and prompts.reads_only(more.intent):
            self._asides[prompt] = more.number
        return prompt is not None

    def _outcome(self, summary: str) -> Outcome:
        changed = tuple(sorted(self._changed))
        return replace(self._turns.costs, summary=summary, detail=self._turns.text, changed=changed)

    async def _take(self, message: Message) -> None:
        match message:
            case Words(text=text):
                await self._progress(text, "words")
            case ToolUsed():
                await self._answer_asides()
                await self._progress(steps.step(message.name, message.arguments))
                self._note(message)
            case Said(agent=None):
                self._said = message.text
                self._aside = message.text if self._asked else ""
            case Followed(state="started") if message.prompt in self._asides:
                self._asked.append(self._asides[message.prompt])
            case ToolEnded():
                await self._end(message)
            case Retrying() if not self._retried:
                self._retried = True
                problem = faults.of_status(message.status, "API Error").message
                await self._progress(f"{problem}; trying again")
            case PermissionAsked():
                self._asking[message.request] = asyncio.create_task(self._permit(message))
            case PermissionWithdrawn() if message.request in self._asking:
                self._asking[message.request].cancel()
            case _:
                pass

    async def _answer_asides(self) -> None:
        """The agent has spoken and goes on: that was the answer. What it says last is spoken anyway."""
        answer, self._aside = steps.spoken(self._aside), ""
        if answer:
            asked, self._asked = self._asked, []
            for job in asked:
                await self._report(JobAnswered(job, answer))

    async def _end(self, ended: ToolEnded) -> None:
        file = self._edits.pop(ended.id, None)
        if file is not None and not ended.is_error:
            self._changed.add(file)
        if ended.id in self._commands:
            for line in ended.text.splitlines()[-_OUTPUT_LINES:]:
                await self._progress(line[:_OUTPUT_CHARS], "output")

    async def _progress(self, text: str, kind: Literal["step", "output", "words"] = "step") -> None:
        so_far = self._turns.then(self._session.last) if self._running else self._turns
        told = so_far.costs if kind == "step" and so_far.cost_usd > 0 else None
        await self._report(JobProgressed(self._job.number, text, kind, told))

    def _note(self, used: ToolUsed) -> None:
        if used.name == "Bash":
            self._commands.add(used.id)
        path = used.arguments.get("file_path") or used.arguments.get("notebook_path")
        if used.name in tools.WRITERS and isinstance(path, str):
            real, top = os.path.realpath(self._job.repo / path), os.path.realpath(self._job.repo)
            if Path(real).is_relative_to(top):
                self._edits[used.id] = Path(real).relative_to(top).as_posix()

    # ------------------------------------------------------------------------ permissions

    async def _permit(self, asked: PermissionAsked) -> None:
        """Answer one permission question of the agent, if need be with a person's help."""
        decision: Decision
        try:
            decision = await self._decide(asked)
        except Exception:
            _log.exception("a permission question could not be put; it is denied")
            decision = Deny("The question could not be asked.")
        await self._session.reply(asked.request, decision)

    async def _decide(self, asked: PermissionAsked) -> Decision:
        if self._session.plans.takes(asked):
            return Grant(asked.arguments)
        read_only = prompts.reads_only(self._job.intent)
        match permissions.judge(asked, self._job.repo, read_only=read_only, limits=self._kept):
            case Allow():
                return Grant(asked.arguments)
            case Deny(why):
                return Deny(why)
            case AskChoices(questions):
                return await self._choose(asked, questions)
            case Ask() as ask:
                return await self._ask(asked, ask)

    async def _ask(self, asked: PermissionAsked, ask: Ask) -> Decision:
        if ask.key is not None and ask.key in self._always:
            return Grant(asked.arguments)
        if ask.plan and not ask.detail:
            ask = replace(ask, detail=self._said)
        answer = await self.questions.permission(ask)
        if answer.yes:
            if answer.always and ask.key is not None:
                self._always.add(ask.key)
            return Grant(asked.arguments)
        if answer.by == "timeout":
            return Deny("Nobody answered in time. Go on without it, or stop and say so.")
        return Deny("The user said no.")

    async def _choose(self, asked: PermissionAsked, questions: Choices) -> Decision:
        answers: dict[str, str] = {}
        for question, spoken, choices in questions:
            answer = await self.questions.choice(spoken, choices)
            if answer.choice is None and not answer.yes:
                why = (
                    "Nobody answered in time."
                    if answer.by == "timeout"
                    else "The user does not want to choose."
                )
                return Deny(f"{why} Decide for yourself, or stop and say so.")
            said = answer.choice or "Yes"
            labels = {choice.label.casefold(): choice.label for choice in choices}
            answers[question] = labels.get(said.casefold(), said)
        return Grant({**asked.arguments, "answers": answers})
