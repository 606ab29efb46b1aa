"""What the session does, and how it is told: status, events, history, jobs, answers, stop."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from mybro.server import sound
from mybro.server.context import Context, have, scoped
from mybro.server.port import Json, Reply
from mybro.server.shapes import (
    AnswerBody,
    Budget,
    Done,
    Job,
    JobDiff,
    Limits,
    Page,
    Question,
    ReplyBody,
    Status,
    Task,
)

MOST = 200
LONGEST_WAIT_S = 60.0

Limit = Annotated[int, Query(ge=1, le=MOST)]
Number = Annotated[int, Path(ge=0, le=2**53)]
Before = Annotated[int | None, Query(ge=0, le=2**53)]


def reading(context: Context) -> APIRouter:
    """What the scope `read` may."""
    routes = APIRouter(route_class=scoped("read"))
    work, stream = context.services.work, context.stream

    @routes.get("/v1/status", response_model=Status, tags=["session"])
    async def status() -> Response:
        """What the session does right now."""
        ears = context.services.ears
        here = {"session": stream.session, "seq": stream.last, "model": ears.current if ears else ""}
        # Rendered here: it is asked often, and the framework would look at each field again.
        body = json.dumps({**work.status(), **context.services.facts, **here})
        return Response(body, media_type="application/json")

    @routes.get("/v1/jobs", tags=["session"])
    async def jobs() -> list[Job]:
        """What is at work."""
        return [Job.model_validate(job) for job in work.status()["jobs"]]

    @routes.get("/v1/jobs/{number}/diff", tags=["session"])
    async def job_diff(number: Number) -> JobDiff:
        """What a job of this session changed, and nothing that anybody else did."""
        return JobDiff.model_validate(await work.control("diff", job=number))

    @routes.get("/v1/questions", tags=["session"])
    async def questions() -> list[Question]:
        """What only the person can decide, in the order of asking."""
        return [Question.model_validate(one) for one in work.status()["questions"]]

    return routes


def counting(context: Context) -> APIRouter:
    """What is measured and what goes on behind; scope `read`."""
    routes = APIRouter(route_class=scoped("read"))

    @routes.get("/v1/latency", tags=["session"])
    async def latency() -> dict[str, Any]:
        """Milliseconds by stage: p50, p95 and the newest."""
        return context.measures.latency()

    @routes.get("/v1/costs", tags=["session"])
    async def costs() -> list[Json]:
        """What each day cost, oldest first."""
        return await have(context.services.memory, "journal").costs()

    @routes.get("/v1/budget", tags=["session"])
    async def budget() -> Budget:
        """What may be spent, and what was today."""
        return await spending(context)

    @routes.get("/v1/tasks", tags=["tasks"])
    async def tasks() -> list[Task]:
        """Background work, the newest first."""
        return await context.tasks.kept()

    @routes.get("/v1/tasks/{number}", tags=["tasks"])
    async def task(number: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]) -> Task:
        """One of them; `state` becomes done, failed or interrupted."""
        return (await context.tasks.kept(number))[0]

    @routes.get("/metrics", tags=["server"], response_class=Response)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(context.measures.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def remembering(context: Context) -> APIRouter:
    """The journal; scope `read`."""
    routes = APIRouter(route_class=scoped("read"), tags=["history"])
    memory = context.services.memory

    @routes.get("/v1/history")
    async def history(
        limit: Limit = 50, before: Before = None, search: Annotated[str, Query(max_length=200)] = ""
    ) -> Page:
        """What was said and what came of it, the newest first."""
        items = await have(memory, "journal").history(limit, before, search)
        return Page(items=items, next=items[-1]["id"] if len(items) == limit else None)

    @routes.get("/v1/history/{number}")
    async def utterance(number: Number) -> dict[str, Any]:
        """One sentence with all its events, for a replay."""
        return await have(memory, "journal").utterance(number)

    @routes.get(
        "/v1/history/{number}/audio",
        response_class=Response,
        responses={200: {"content": {"audio/wav": {}}, "description": "Its sound"}},
    )
    async def audio(number: Number) -> Response:
        """Its sound, as WAV."""
        pcm = await have(memory, "journal").recording(number)
        return Response(sound.wav(pcm, sound.RATE), media_type="audio/wav")

    return routes


def acting(context: Context) -> APIRouter:
    """What the scope `act` may."""
    routes = APIRouter(route_class=scoped("act"))
    work = context.services.work

    @routes.post("/v1/stop", tags=["session"])
    async def stop() -> Done:
        """Stop everything, as the spoken word does; answered once all work is dead."""
        await work.control("stop")
        return Done()

    @routes.post("/v1/undo", tags=["session"])
    async def undo(wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 10.0) -> ReplyBody:
        """Take the last change back."""
        return await _take_back("undo", wait_s)

    @routes.post("/v1/redo", tags=["session"])
    async def redo(wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 10.0) -> ReplyBody:
        """Bring it again."""
        return await _take_back("redo", wait_s)

    async def _take_back(which: Literal["undo", "redo"], wait_s: float) -> ReplyBody:
        turn = (await work.control(which))["turn"]
        return reply_body(await work.reply(turn, wait_s))

    @routes.post("/v1/budget", tags=["session"])
    async def limit(wanted: Limits) -> Budget:
        """Say what may be spent, for coding sessions that begin from now on."""
        await have(context.services.budget, "budget").limit(wanted.session_usd, wanted.day_usd)
        return await spending(context)

    @routes.post("/v1/questions/{number}/answer", tags=["session"])
    async def answer(number: Number, given: AnswerBody) -> Done:
        """Answer a question by its number; the first answer wins.

        A yes to something destructive repeats the question's `object`.
        """
        await work.control("answer", question=number, **given.model_dump())
        return Done()

    return routes


async def spending(context: Context) -> Budget:
    session_usd, day_usd = have(context.services.budget, "budget").limits()
    days = await have(context.services.memory, "journal").costs()
    today = datetime.now().astimezone().date().isoformat()
    spent = sum(day["usd"] for day in days if day["day"] == today)
    return Budget(session_usd=session_usd, day_usd=day_usd, today_usd=spent)


def reply_body(found: Reply) -> ReplyBody:
    return ReplyBody.model_validate(
        {name: getattr(found, name) for name in ReplyBody.model_fields}, from_attributes=True
    )
