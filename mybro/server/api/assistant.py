"""Sentences over HTTP, as text or as a recording: words, intent, result and reply come back."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile

from mybro.errors import ServerError
from mybro.server import sound
from mybro.server.api.session import LONGEST_WAIT_S, Number, reply_body
from mybro.server.api.speech import recognise, spoken
from mybro.server.context import Context, scoped
from mybro.server.shapes import Message, ReplyBody, Task, VoiceReply
from mybro.server.tasks import OPEN, result_of


def chat(context: Context) -> APIRouter:
    """Sentences as text; scope `act`."""
    routes = APIRouter(route_class=scoped("act"))
    work = context.services.work

    @routes.post(
        "/v1/chat/message",
        response_model=Task,
        tags=["assistant"],
        responses={202: {"model": Task, "description": "It goes on: ask for the task"}},
    )
    async def message(said: Message, response: Response) -> Task:
        """Do what a sentence says. A client that waits too short gets a task, and asks for it again."""

        async def do() -> ReplyBody:
            turn = await work.submit(said.text, said.session_id)
            return await finished(context, turn)

        return settle(await context.tasks.run("message", do(), said.wait_s), response)

    @routes.get("/v1/turns/{number}", tags=["session"])
    async def turn(
        number: Number, wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 0.0
    ) -> ReplyBody:
        """What came of a sentence so far."""
        return reply_body(await work.reply(number, wait_s))

    return routes


def voice(context: Context) -> APIRouter:
    """`/v1/voice/process` and what it says aloud; scope `act`."""
    routes = APIRouter(route_class=scoped("act"), tags=["assistant"])

    @routes.post("/v1/voice/process", responses={202: {"model": Task, "description": "It goes on"}})
    async def process(
        response: Response,
        file: Annotated[UploadFile, File(description="WebM, WAV, FLAC, MP3, OGG or M4A")],
        session_id: Annotated[str, Form(max_length=64, pattern=r"^[\w.-]*$")] = "",
        wait_s: Annotated[float, Form(ge=0, le=60)] = 0.2,
    ) -> Task:
        """Do what is said in a recording; the task's result is a `VoiceReply`."""
        content = await file.read()
        sound.kind_of(content)  # what is no sound is refused at once

        async def do() -> VoiceReply:
            heard, _ = await recognise(context, content)
            result = None
            if heard.text.strip():
                turn = await context.services.work.submit(heard.text, session_id)
                result = await finished(context, turn)
            return VoiceReply(
                transcript=heard.text, language=heard.language, model_id=heard.model_id,
                latency_ms=heard.latency_ms, result=result,
            )  # fmt: skip

        return settle(await context.tasks.run("voice", do(), wait_s), response)

    @routes.get(
        "/v1/tasks/{number}/reply",
        response_class=Response,
        responses={200: {"content": {"audio/wav": {}}, "description": "The sound"}},
    )
    async def reply(number: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]) -> Response:
        """What mybro says to a finished task, aloud: WAV."""
        found = (await context.tasks.kept(number))[0].result or {}
        said = (found.get("result") or found).get("reply", "")
        if not said:
            raise ServerError("not_found", "nothing is said to that")
        pcm, rate = await spoken(context, said)
        return Response(await asyncio.to_thread(sound.wav, pcm, rate), media_type="audio/wav")

    return routes


async def finished(context: Context, turn: int) -> ReplyBody:
    """What came of a turn, once it is over or has to ask."""
    while True:
        found = await context.services.work.reply(turn, LONGEST_WAIT_S)
        if found.state != "working":
            return reply_body(found)


def settle(task: Task, response: Response) -> Task:
    """202 for a task that goes on; raises what it failed with."""
    result_of(task)
    response.status_code = 202 if task.state in OPEN else 200
    return task
