"""Lets other processes of the same person reach a session: what it does, stop, say, speak, ask."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from pathlib import Path

from mybro import __version__
from mybro.clock import Clock, MonotonicClock
from mybro.errors import ChildError, MybroError
from mybro.events import (
    Announce,
    Answered,
    Choice,
    Envelope,
    Event,
    JobAsked,
    QuestionWithdrawn,
    Ready,
    StopAll,
    TalkPressed,
    TalkReleased,
    Typed,
)
from mybro.executor.signed import by_agent, signed
from mybro.executor.words import read_out
from mybro.journal import Archive, Filter, UtteranceRecord
from mybro.naming import ORDINALS, agent_label
from mybro.ops.rendezvous import PROTOCOL, Json
from mybro.pipeline.acts import status
from mybro.pipeline.leaving import leave
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.state import JobPhase
from mybro.speak.notify import Notifier

FOR_AGENTS = ("speak", "ask", "notify", "history")
MAX_REQUESTS = 16
"""Requests of one connection that may wait for their replies; who sends more waits."""
MAX_TEXT = 2_000
MAX_CHOICES = 9
MOST_HISTORY = 100
QUESTIONS_FROM = 1_000_001
"""Beyond what a session's hands count up to; odd, as the even ones are the state machine's own."""
LONGEST_WAIT_S = 3600.0
LONGEST_PRESS_S = 300.0
"""A talk key that a program pressed comes up by itself after this long."""


class Control:
    """Answers the requests of every connection."""

    def __init__(
        self, pipeline: Pipeline, repo: Path, notifier: Notifier, archive: Archive | None = None,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._pipeline = pipeline
        self._repo = repo
        self._notifier = notifier
        self._archive = archive
        self._numbers = itertools.count(QUESTIONS_FROM, 2)
        self._open: dict[int, asyncio.Future[Answered | None]] = {}
        self._asked: set[int] = set()
        """Of the open questions, those that the pipeline has taken."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.page = ""
        """The address of the session's page, with its token; for the person who owns the socket."""
        self._can_talk = False
        """Whether a microphone waits for the talk key."""
        self._talks = False
        self._presses = 0
        self._clock = clock or MonotonicClock()
        pipeline.watch(self._watch)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, agent: bool = False
    ) -> None:
        """Talk to one client until it leaves; what it still waits for is given up.

        An agent may do `FOR_AGENTS` alone: who could say "yes" would answer its own questions.
        """
        greeting = {"mybro": __version__, "protocol": PROTOCOL, "pid": os.getpid(), "repo": str(self._repo)}
        _send(writer, greeting)
        room = asyncio.Semaphore(MAX_REQUESTS)
        own: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                await room.acquire()
                task = asyncio.create_task(self._reply(line, writer, agent))
                for tasks in (own, self._tasks):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _: room.release())
        except (OSError, ValueError):
            return  # gone, or a line too long to be one
        finally:
            for task in own:
                task.cancel()
            await asyncio.gather(*own, return_exceptions=True)
            writer.close()

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reply(self, line: bytes, writer: asyncio.StreamWriter, agent: bool) -> None:
        number: object = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ChildError("bad_request", "a request is a JSON object")
            number = request.get("id")
            if agent and request.get("do") not in FOR_AGENTS:
                raise ChildError("not_for_agents", f"an agent may only {', '.join(FOR_AGENTS)}")
            reply: Json = {"id": number, "ok": await self._do(request)}
        except MybroError as error:
            reply = {"id": number, "error": _error(error)}
        except (ValueError, RecursionError):
            reply = {"id": number, "error": _error(ChildError("bad_request", "that is no JSON"))}
        with contextlib.suppress(OSError):
            _send(writer, reply)
            await writer.drain()

    async def _do(self, request: Json) -> Json:
        match request.get("do"):
            case "status":
                return self._status()
            case "stop":
                await self._stop()
                return {}
            case "say":
                turn = self._pipeline.next_turn()
                await self._pipeline.post(Typed(turn, _text(request)))
                return {"turn": turn}
            case "speak":
                _, agent = self._whose(request)
                words = _text(request)
                await self._pipeline.post(Announce(by_agent(agent, words) if agent else words))
                return {}
            case "ptt":
                return await self._talk(request.get("key"))
            case "page":
                return {"page": self.page}
            case "notify":
                return {"shown": await self._notifier.show(_text(request))}
            case "history":
                return await self._history(request)
            case "ask":
                return await self._ask(request)
            case "leave":
                return await leave(self._pipeline, request.get("patience_s"))
            case other:
                raise ChildError("unknown_request", f"this session does not know {other!r}")

    async def _stop(self) -> None:
        """Return once what there is is dead; what is said meanwhile may go on."""
        generation = self._pipeline.state.generation
        await self._pipeline.post(StopAll())
        while self._pipeline.state.generation == generation or self._is_stopping():
            self._changed.clear()
            await self._changed.wait()

    def _is_stopping(self) -> bool:
        state = self._pipeline.state
        return state.sweeping > 0 or any(job.phase is JobPhase.STOPPING for job in state.jobs.values())

    async def _history(self, request: Json) -> Json:
        limit, search = request.get("limit", MOST_HISTORY), request.get("search", "")
        if not isinstance(limit, int) or not isinstance(search, str):
            raise ChildError("bad_request", "limit is a number, search is a text")
        if self._archive is None:
            return {"utterances": []}
        found = await self._archive.recent(min(max(limit, 1), MOST_HISTORY), Filter(search=search))
        return {"utterances": [brief(one) for one in found]}

    def _status(self) -> Json:
        state = self._pipeline.state
        jobs = [
            {"job": job.number, "title": job.title, "step": job.step, "phase": str(job.phase)}
            for job in state.jobs.values()
        ]
        asked = state.asked
        return {
            "says": status(state), "jobs": jobs, "ear": str(state.ear), "muted": state.muted,
            "paused": state.paused, "asked": asked.text if asked is not None else None,
        }  # fmt: skip

    async def _talk(self, key: object) -> Json:
        """The talk key, pressed by a program."""
        if key not in ("down", "up", "toggle"):
            raise ChildError("bad_request", "key is down, up or toggle")
        if not self._can_talk:
            hint = "Use mybro run, or mybro serve --microphone"
            raise ChildError("no_microphone", "this session has no microphone of its own", hint=hint)
        down = not self._talks if key == "toggle" else key == "down"
        # At once, so that of two that come together the second sees the first.
        self._talks = down
        self._presses += 1
        await self._pipeline.post(TalkPressed() if down else TalkReleased())
        if down:
            task = asyncio.create_task(self._let_go(self._presses))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return {"held": down}

    async def _let_go(self, press: int) -> None:
        """A program that never lets go does not keep the microphone open."""
        await self._clock.sleep(LONGEST_PRESS_S)
        if self._talks and self._presses == press:
            await self._pipeline.post(TalkReleased())

    async def _ask(self, request: Json) -> Json:
        """Ask the person, aloud and on screen, and wait."""
        choices = request.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(one, str) and one for one in choices):
            raise ChildError("bad_request", "choices are a list of texts")
        if len(choices) > MAX_CHOICES:
            raise ChildError("bad_request", f"nobody can choose from more than {MAX_CHOICES}")
        seconds = request.get("timeout_s", LONGEST_WAIT_S)
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_WAIT_S:
            raise ChildError("bad_request", f"timeout_s is a number up to {LONGEST_WAIT_S:.0f}")
        number = next(self._numbers)
        waiting = self._open[number] = asyncio.get_running_loop().create_future()
        job, agent = self._whose(request)
        asked: Event = JobAsked(
            job, number, "choice" if choices else "permission", read_out(_text(request), choices),
            risk="read", choices=tuple(map(Choice, choices)), timeout_s=seconds,
        )  # fmt: skip
        answer = None
        try:
            await self._pipeline.post(signed(asked, agent) if agent else asked)
            answer = await waiting
        finally:
            del self._open[number]
            if answer is None:
                await self._pipeline.post(QuestionWithdrawn(number))
        if answer is None or answer.by == "timeout":
            return {"answered": False}
        return {"answered": True, "yes": answer.yes, "choice": answer.choice}

    def _whose(self, request: Json) -> tuple[int, str]:
        """Of which task something comes, 0 where none is at work, and of which of several agents.

        The first agent works in the repository; the others' places bear their names.
        """
        running = [job for job in self._pipeline.state.jobs.values() if job.phase is JobPhase.RUNNING]
        jobs = [job for job in running if job.intent.kind in ("task", "question")]
        if isinstance(place := request.get("place"), str):
            own = Path(place) == self._repo
            labels = ("", agent_label(ORDINALS[0])) if own else (agent_label(Path(place).name),)
            jobs = [job for job in jobs if job.agent in labels] or jobs
        return (jobs[-1].number, jobs[-1].agent) if jobs else (0, "")

    def _watch(self, envelope: Envelope) -> None:
        self._changed.set()
        event = envelope.event
        if isinstance(event, JobAsked) and event.question in self._open:
            self._asked.add(event.question)
        if isinstance(event, Answered):
            self._settle(event.question, event)
        if isinstance(event, Ready):
            self._can_talk = True
        if isinstance(event, TalkPressed | TalkReleased):
            self._talks = isinstance(event, TalkPressed)
        # Stopped, or its job ended: a question that is not there any more gets no answer.
        for number in self._asked - self._pipeline.state.questions.keys():
            self._settle(number, None)

    def _settle(self, question: int, answer: Answered | None) -> None:
        self._asked.discard(question)
        waiting = self._open.get(question)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


def brief(one: UtteranceRecord) -> Json:
    """An utterance as programs are told of it."""
    jobs = [{"title": job.title, "state": job.state, "summary": job.summary} for job in one.jobs]
    return {"id": one.id, "text": one.text, "repo": one.repo, "state": one.state, "jobs": jobs}


def _text(request: Json) -> str:
    text = request.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise ChildError("bad_request", f"text is what to say: 1 to {MAX_TEXT} characters")
    return text.strip()


def _error(error: MybroError) -> Json:
    return {"code": error.code, "message": error.message, "hint": error.hint}


def _send(writer: asyncio.StreamWriter, message: Json) -> None:
    writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
