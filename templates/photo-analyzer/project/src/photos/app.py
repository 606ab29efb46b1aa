"""The API."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from photos import picture
from photos.catalogue import Catalogue, Photo
from photos.errors import PhotoError
from photos.limit import Limiter
from photos.settings import Settings
from photos.vision import ClaudeVision, Seen, Vision

router = APIRouter(prefix="/v1")
Limit = Annotated[int, Query(ge=1, le=100)]


class PhotoOut(BaseModel):
    """A photo, without its pixels: those are at /v1/photos/{id}/image."""

    id: int
    name: str
    media_type: str
    width: int
    height: int
    taken: str
    added: str
    seen: Seen | None


class Page(BaseModel):
    """Some photos; `next` is the `after` of the following page, and null on the last one."""

    photos: list[PhotoOut]
    next: int | None


class Match(BaseModel):
    """A photo that looks like another."""

    photo: PhotoOut
    likeness: float
    same: bool


def catalogue(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.catalogue
    return found


Store = Annotated[Catalogue, Depends(catalogue)]


@router.post("/photos", status_code=201)
async def add(file: UploadFile, request: Request, response: Response, store: Store) -> PhotoOut:
    """Keep a photo; 200 where the very same file was there already."""
    settings: Settings = request.app.state.settings
    data = await file.read(settings.max_bytes + 1)
    if len(data) > settings.max_bytes:
        raise PhotoError(413, "too_large", f"a photo may have {settings.max_bytes} bytes")
    read = await asyncio.to_thread(picture.read, data, settings.max_pixels)
    name = PurePath((file.filename or "photo").replace("\\", "/")).name[:200]
    photo, new = await asyncio.to_thread(store.add, name, data, read)
    if not new:
        response.status_code = 200
    return _out(photo)


@router.get("/photos")
async def page(store: Store, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 50) -> Page:
    """All photos, page by page."""
    photos = await asyncio.to_thread(store.page, after, limit)
    return Page(photos=[_out(each) for each in photos], next=photos[-1].id if len(photos) == limit else None)


@router.get("/search")
async def search(
    store: Store, q: Annotated[str, Query(min_length=1, max_length=200)], limit: Limit = 50
) -> list[PhotoOut]:
    """Photos by the words in their description, text, tags and name."""
    return [_out(each) for each in await asyncio.to_thread(store.search, q, limit)]


@router.get("/photos/{photo_id}")
async def one(photo_id: int, store: Store) -> PhotoOut:
    """One photo."""
    return _out(await asyncio.to_thread(store.get, photo_id))


@router.get("/photos/{photo_id}/image")
async def image(photo_id: int, store: Store) -> FileResponse:
    """The file as it came."""
    photo = await asyncio.to_thread(store.get, photo_id)
    headers = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
    return FileResponse(store.file(photo), media_type=photo.media_type, headers=headers)


@router.post("/photos/{photo_id}/look")
async def look(photo_id: int, request: Request, store: Store) -> PhotoOut:
    """Have Claude describe it, write down its text, and say where what is."""
    photo = await asyncio.to_thread(store.get, photo_id)
    vision: Vision = request.app.state.vision
    settings: Settings = request.app.state.settings
    data = await asyncio.to_thread(store.file(photo).read_bytes)
    read = await asyncio.to_thread(picture.read, data, settings.max_pixels)
    seen = await vision.look(read.small)
    return _out(await asyncio.to_thread(store.describe, photo_id, seen))


@router.get("/photos/{photo_id}/similar")
async def similar(photo_id: int, store: Store, limit: Limit = 10) -> list[Match]:
    """The photos that look most like it."""
    found = await asyncio.to_thread(store.similar, photo_id, limit)
    return [Match(photo=_out(photo), likeness=likeness, same=same) for photo, likeness, same in found]


@router.delete("/photos/{photo_id}", status_code=204)
async def remove(photo_id: int, store: Store) -> None:
    """Forget a photo and delete its file."""
    await asyncio.to_thread(store.remove, photo_id)


def create(settings: Settings | None = None, vision: Vision | None = None) -> FastAPI:
    """The application."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.catalogue = Catalogue(settings.folder)
        app.state.vision = vision or ClaudeVision(settings.model)
        yield
        app.state.catalogue.close()

    app = FastAPI(title="Photos", version="1", lifespan=lifespan)
    app.state.settings = settings
    app.include_router(router)
    limiter = Limiter(settings.calls_per_minute)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.id = uuid.uuid4().hex
        wait_s = limiter.wait_s(request.client.host if request.client else "")
        if wait_s:
            refused = PhotoError(429, "too_many_calls", "too many calls", "wait and try again")
            told = _failure(request, refused)
            told.headers["retry-after"] = str(math.ceil(wait_s))
            return told
        response = await call_next(request)
        response.headers["x-request-id"] = request.state.id
        return response

    app.add_exception_handler(PhotoError, _told)
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _told)
    return app


async def _told(request: Request, error: Exception) -> Response:
    if isinstance(error, PhotoError):
        return _failure(request, error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _failure(request, PhotoError(422, "invalid", f"{place}: {first['msg']}"))
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _failure(
        request, PhotoError(status, "not_found" if status == 404 else "refused", "no such thing here")
    )


def _failure(request: Request, error: PhotoError) -> JSONResponse:
    told = {
        "code": error.code, "message": error.message, "hint": error.hint, "request_id": request.state.id,
    }  # fmt: skip
    return JSONResponse({"error": told}, error.status, headers={"x-request-id": request.state.id})


def _out(photo: Photo) -> PhotoOut:
    return PhotoOut.model_validate(photo, from_attributes=True)
