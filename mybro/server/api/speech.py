"""Speech for programs: OpenAI's two calls, the models, and the log of what was transcribed."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from mybro.server import sound
from mybro.server.api.live import keep
from mybro.server.api.session import Before, Limit
from mybro.server.context import Context, have, scoped
from mybro.server.decoding import decoded
from mybro.server.port import Heard, SpeechModel
from mybro.server.shapes import Done, ModelChoice, Strict
from mybro.server.tasks import Call, result_of

AT_ONCE = 2
"""Recordings that are decoded and recognised at a time; the others wait."""


_TEXTS: dict[str, Any] = {
    "application/json": {
        "schema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    },
    "text/plain": {},
    "text/vtt": {},
}


class ModelEntry(Strict):
    """One model that recognises speech."""

    id: str
    backend: str
    name: str
    installed: bool
    english_only: bool | None
    bytes_about: int | None
    current: bool


class ModelList(Strict):
    """Every model that is known."""

    models: list[ModelEntry]
    current: str | None


class TranscriptionEntry(Strict):
    """One line of the log."""

    id: int
    session_id: str
    model_id: str
    content: str
    latency_ms: float
    created_at: datetime


class TranscriptionPage(Strict):
    """Some of the log; ask again with `before` = `next` for what is older."""

    items: list[TranscriptionEntry]
    next: int | None


class OpenAiModel(BaseModel):
    """A model, as OpenAI's clients read it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class OpenAiModels(BaseModel):
    """A list of models."""

    object: Literal["list"] = "list"
    data: list[OpenAiModel]


class Spoken(BaseModel):
    """What is to be said; fields of OpenAI's that mean nothing here are passed over."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field("mybro", max_length=200)
    input: str = Field(min_length=1, max_length=4096, pattern=r"\S")
    voice: Any = Field(None, description="passed over: the session has one voice")
    response_format: sound.Format = "mp3"
    speed: float = Field(1.0, ge=0.25, le=4.0)


class Words(BaseModel):
    """What is said in a recording."""

    text: str
    model_id: str
    language: str
    latency_ms: float
    seconds: float = Field(description="of sound")


def models(context: Context) -> APIRouter:
    """Models and the log; scope `read`."""
    routes = APIRouter(route_class=scoped("read"), tags=["speech"])
    services, store = context.services, context.store

    def known() -> list[SpeechModel]:
        return have(services.ears, "recogniser").models()

    @routes.get("/api/v1/models")
    async def model_list() -> ModelList:
        """Every speech model that is known, and which is in use."""
        entries = [ModelEntry.model_validate(one, from_attributes=True) for one in known()]
        return ModelList(models=entries, current=next((one.id for one in entries if one.current), None))

    @routes.get("/v1/models")
    async def openai_models() -> OpenAiModels:
        """The models that are on this machine, as OpenAI's clients ask for them."""
        return OpenAiModels(
            data=[OpenAiModel(id=one.id, owned_by=one.backend) for one in known() if one.installed]
        )

    @routes.get("/api/v1/history")
    async def transcription_log(
        limit: Limit = 50, before: Before = None,
        session_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> TranscriptionPage:  # fmt: skip
        """What was transcribed for clients, the newest first."""
        rows = await store.logs(limit, before, session_id)
        items = [TranscriptionEntry.model_validate(row) for row in rows]
        return TranscriptionPage(items=items, next=items[-1].id if len(items) == limit else None)

    return routes


def changing(context: Context) -> APIRouter:
    """Another model, and deleting the log; scope `act`."""
    routes = APIRouter(route_class=scoped("act"), tags=["speech"])

    @routes.post("/api/v1/models/current")
    async def use_model(chosen: ModelChoice) -> Done:
        """Have the session recognise with another model, in a fresh worker; the old one serves until then."""
        await context.services.work.control("use_model", model_id=chosen.model_id)
        return Done()

    @routes.delete("/api/v1/history")
    async def forget() -> Done:
        """Delete the log of transcriptions, and the intents that are kept."""
        await context.store.forget_logs()
        await context.services.work.control("forget")
        return Done()

    return routes


def openai(context: Context) -> APIRouter:
    """`/v1/audio/…`; scope `speak`."""
    routes = APIRouter(route_class=scoped("speak"), tags=["speech"])
    room = asyncio.Semaphore(AT_ONCE)

    @routes.post(
        "/v1/audio/transcriptions",
        response_class=Response,
        responses={200: {"content": _TEXTS, "description": "The words"}},
    )
    async def transcriptions(
        request: Request,
        file: Annotated[UploadFile, File(description="WebM, WAV, FLAC, MP3, OGG or M4A")],
        model: Annotated[str, Form(max_length=200)] = "whisper-1",
        language: Annotated[str | None, Form(pattern=r"^[a-z]{2,3}$")] = None,
        prompt: Annotated[str, Form(max_length=2000)] = "",
        response_format: Annotated[Literal["json", "text", "verbose_json", "srt", "vtt"], Form()] = "json",
        temperature: Annotated[float, Form(ge=0, le=1)] = 0.0,  # noqa: ARG001 - taken, as clients send it
    ) -> Response:
        """The words in a recording, as OpenAI's API gives them."""
        async with room:
            heard, seconds = await recognise(context, await file.read(), model, language, prompt)
        await keep(context, request.state.request_id, heard)
        return _transcription(heard, seconds, response_format)

    @routes.post(
        "/v1/audio/speech",
        response_class=Response,
        responses={
            200: {"content": {kind: {} for kind in sound.MEDIA_TYPES.values()}, "description": "The sound"}
        },
    )
    async def speech(wanted: Spoken) -> Response:
        """A text as sound, as OpenAI's API gives it."""
        async with room:
            pcm, rate = await spoken(context, wanted.input, wanted.speed)
            content = await asyncio.to_thread(sound.encode, pcm, rate, wanted.response_format)
        return Response(content, media_type=sound.MEDIA_TYPES[wanted.response_format])

    return routes


async def recognise(
    context: Context, content: bytes, model: str = "", language: str | None = None, prompt: str = ""
) -> tuple[Heard, float]:
    """What is said in a file, and its length in seconds. Raises `ServerError` and the recogniser's errors."""
    ears = have(context.services.ears, "recogniser")
    # OpenAI's own name for the model means the one that is in use here.
    model_id = ears.current if model in ("", "whisper-1", "default") else model

    async def here() -> Words:
        pcm = await decoded(content)
        heard = await ears.transcribe(pcm, model_id, language, prompt)
        return Words(
            text=heard.text, model_id=heard.model_id, language=heard.language, latency_ms=heard.latency_ms,
            seconds=len(pcm) / (2 * sound.RATE),
        )  # fmt: skip

    def arguments() -> dict[str, Any]:
        given = {"model_id": model_id, "language": language, "prompt": prompt}
        return {"sound": base64.b64encode(content).decode(), **given}

    task = await context.tasks.run("transcribe", here(), None, Call("transcribe", arguments))
    words = Words.model_validate(result_of(task))
    heard = Heard(words.text, words.model_id, words.language, latency_ms=words.latency_ms)
    return heard, words.seconds


async def spoken(context: Context, text: str, speed: float = 1.0) -> tuple[bytes, int]:
    """A text as samples, and their rate."""
    voice = have(context.services.voice, "voice")
    pcm, rate = bytearray(), sound.RATE
    async for chunk_rate, chunk in voice.synthesize(text, speed):
        rate = chunk_rate
        pcm += chunk
    return bytes(pcm), rate


def _transcription(heard: Heard, seconds: float, wanted: str) -> Response:
    match wanted:
        case "text":
            return Response(heard.text + "\n", media_type="text/plain; charset=utf-8")
        case "srt":
            line = f"1\n{_clock(0, ',')} --> {_clock(seconds, ',')}\n{heard.text}\n"
            return Response(line, media_type="text/plain; charset=utf-8")
        case "vtt":
            line = f"WEBVTT\n\n{_clock(0, '.')} --> {_clock(seconds, '.')}\n{heard.text}\n"
            return Response(line, media_type="text/vtt; charset=utf-8")
    body: dict[str, Any] = {"text": heard.text}
    if wanted == "verbose_json":
        segment = {
            "id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": heard.text, "tokens": [],
            "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0,
        }  # fmt: skip
        body |= {
            "task": "transcribe", "language": heard.language, "duration": seconds, "segments": [segment]
        }  # fmt: skip
    return Response(json.dumps(body), media_type="application/json")


def _clock(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
