"""A session as the server's port has it: what it does, sentences in, and what came of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mybro import events as ev
from mybro.errors import Problem, ServerError
from mybro.intent import Intent
from mybro.pipeline.acts import status as in_words
from mybro.pipeline.conversations import Conversations
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.state import Question, State
from mybro.server.port import Json, Reply
from mybro.wire import plain

TURNS_KEPT = 500
UseModel = Callable[[str], Awaitable[None]]
Diff = Callable[[int], Awaitable[Json]]
_BACK = {"undo": "undo that", "redo": "redo that"}


@dataclass
class _Track:
    """What is known of one turn."""

    turn: int
    text: str = ""
    entered: bool = False
    """Whether the pipeline has seen it."""
    intent: Intent | None = None
    cached: bool = False
    reply: str = ""
    job: int | None = None
    outcome: Json | None = None
    ended: str = ""


class SessionWork:
    """The server's `Work`. Watches the pipeline from its making on."""

    def __init__(
        self, pipeline: Pipeline, conversations: Conversations, use: UseModel | None = None,
        diff: Diff | None = None,
    ) -> None:  # fmt: skip
        """`use` has the session recognise with another model; `diff` tells what a job changed."""
        self._pipeline, self._use, self._diff = pipeline, use, diff
        self._conversations = conversations
        self._tracks: OrderedDict[int, _Track] = OrderedDict()
        self._turn_of: dict[int, int] = {}
        """By job."""
        self._details: dict[int, str] = {}
        """By question."""
        self._numbered = 0
        self._said = ""
        self._changed: asyncio.Future[None] | None = None
        pipeline.watch(self._watch)

    def status(self) -> Json:
        state = self._pipeline.state
        asked = state.asked
        return {
            "says": in_words(state), "generation": state.generation, "ear": str(state.ear),
            "live": state.live, "mouth": str(state.mouth), "muted": state.muted, "paused": state.paused,
            "jobs": [
                {
                    "job": job.number, "turn": job.turn, "title": job.title, "step": job.step,
                    "phase": str(job.phase), "agent": job.intent.agent,
                }
                for job in state.jobs.values()
            ],
            "questions": [self._question(one) for one in state.questions.values()],
            "asked": asked.number if asked is not None else None,
        }  # fmt: skip

    async def submit(self, text: str, conversation: str = "") -> int:
        turn = self._pipeline.next_turn()
        self._track(turn, text)
        self._conversations.expect(turn, text, conversation)
        await self._pipeline.post(ev.Typed(turn, text))
        return turn

    async def reply(self, turn: int, wait_s: float) -> Reply:
        track = self._tracks.get(turn)
        if track is None:
            raise ServerError("no_such_turn", f"there is no turn {turn}, or it is long over")
        ends = asyncio.get_running_loop().time() + wait_s
        while (found := self._reply(track)).state == "working":
            if (left := ends - asyncio.get_running_loop().time()) <= 0:
                return found
            await self._wait(left)
        return found

    async def control(self, do: str, **fields: Any) -> Json:
        match do:
            case "stop":
                await self._pipeline.post(ev.StopAll())
                while self._pipeline.state.jobs:
                    await self._wait(1.0)
                return {}
            case "use_model":
                if self._use is None:
                    raise ServerError("not_here", "this session has no recogniser")
                await self._use(fields["model_id"])
                return {}
            case "diff":
                if self._diff is None:
                    raise ServerError("not_here", "this session has no checkpoints")
                return await self._diff(fields["job"])
            case "forget":
                await self._conversations.forget()
                return {}
            case "answer":
                await self._answer(**fields)
                return {}
            case _:
                return {"turn": await self.submit(_BACK[do])}

    async def _answer(
        self, question: int, *, yes: bool, choice: str | None, always: bool, object: str  # noqa: A002
    ) -> None:  # fmt: skip
        found = self._pipeline.state.questions.get(question)
        if found is None:
            raise ServerError(
                "no_such_question", f"question {question} is not open", hint="Somebody was first"
            )
        if yes and found.risk == "destructive" and (always or object.strip().lower() != found.object.lower()):
            raise ServerError(
                "name_the_object",
                f"a yes to this has to name it: {found.object}",
                hint='Send {"yes": true, "object": …}; it holds for this once',
            )
        if yes and found.choices and not choice:
            raise ServerError("bad_request", "this question has choices", hint="Send the label of one")
        await self._pipeline.post(ev.Answered(question, yes=yes, choice=choice, always=always, by="page"))

    # ------------------------------------------------------------------ following what happens

    def _watch(self, envelope: ev.Envelope) -> None:
        state, event = self._pipeline.state, envelope.event
        for job in state.jobs.values():
            if job.number not in self._turn_of:
                self._turn_of[job.number] = job.turn
                self._track(job.turn).job = job.number
        match event:
            case ev.Typed(turn=turn, text=text) | ev.Transcript(turn=turn, text=text, final=True):
                track = self._track(turn, text)
                track.entered = True
            case ev.Understood(turn=turn, intent=intent) | ev.Recalled(turn=turn, intent=intent):
                self._understood(self._track(turn), intent, state)
            case ev.JobAsked(question=question, detail=detail):
                self._details[question] = detail
            case ev.JobFinished(job=job_number, outcome=outcome):
                self._ended(job_number, "done", outcome.summary, outcome)
            case ev.JobFailed(job=job_number, problem=problem, outcome=failed):
                self._ended(job_number, "failed", problem.line(), failed, problem)
            case ev.JobStopped(job=job_number, outcome=stopped):
                self._ended(job_number, "stopped", "", stopped)
        self._details = {n: text for n, text in self._details.items() if n in state.questions}
        self._numbered, self._said = state.next_number, state.last_said
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def _understood(self, track: _Track, intent: Intent, state: State) -> None:
        track.entered, track.intent = True, intent
        track.cached = self._conversations.understood(track.turn, intent)
        # A sentence takes a number, also where it says the same as the one before.
        spoke = state.next_number != self._numbered and intent.kind == "control"
        if spoke or state.last_said != self._said:
            track.reply = state.last_said

    def _ended(
        self, job: int, how: str, reply: str, outcome: ev.Outcome | None, problem: Problem | None = None
    ) -> None:
        turn = self._turn_of.pop(job, None)
        if turn is None:
            return
        track = self._track(turn)
        track.ended, track.reply = how, reply or track.reply
        track.outcome = plain(outcome) if outcome is not None else {}
        if problem is not None:
            track.outcome["problem"] = plain(problem)
        self._conversations.settle(turn, reply)

    def _track(self, turn: int, text: str = "") -> _Track:
        track = self._tracks.get(turn)
        if track is None:
            track = self._tracks[turn] = _Track(turn)
            if len(self._tracks) > TURNS_KEPT:
                self._tracks.popitem(last=False)
        track.text = text or track.text
        return track

    def _reply(self, track: _Track) -> Reply:
        state = self._pipeline.state
        question = next(
            (q for q in state.questions.values() if q.turn == track.turn or (q.job and q.job == track.job)),
            None,
        )
        if track.ended:
            how = track.ended
        elif question is not None:
            how = "asking"
        elif not track.entered or track.turn in state.turns or track.job in state.jobs:
            how = "working"
        else:
            how = "done" if track.intent is not None and track.intent.kind == "control" else "dropped"
        return Reply(
            track.turn, track.text, how, track.intent, question.text if question else track.reply, track.job,
            track.outcome, self._question(question) if question else None, track.cached,
        )  # fmt: skip

    def _question(self, one: Question) -> Json:
        return {
            "number": one.number, "text": one.text, "detail": self._details.get(one.number, ""),
            "job": one.job, "turn": one.turn, "phase": str(one.phase), "risk": one.risk,
            "object": one.object,
            "choices": [{"label": c.label, "description": c.description} for c in one.choices],
        }  # fmt: skip

    async def _wait(self, seconds: float) -> None:
        if self._changed is None or self._changed.done():
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._changed], timeout=seconds)
