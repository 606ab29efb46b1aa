"""Speak to it over HTTP: a recording in; words, intent, result and reply out."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Response, UploadFile

from mybro.errors import ServerError
from mybro.server import sound
from mybro.server.api.session import finished, settle
from mybro.server.api.speech import recognise, spoken
from mybro.server.context import Context, Needs
from mybro.server.shapes import Task, VoiceReply


def router(context: Context) -> APIRouter:
    """`/v1/voice/process` and what it says aloud; scope `act`."""
    routes = APIRouter(dependencies=[Depends(Needs("act"))], tags=["assistant"])

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
        found = context.tasks.get(number).result or {}
        said = (found.get("result") or found).get("reply", "")
        if not said:
            raise ServerError("not_found", "nothing is said to that")
        pcm, rate = await spoken(context, said)
        return Response(await asyncio.to_thread(sound.wav, pcm, rate), media_type="audio/wav")

    return routes
