"""Errors as clients see them: one body for all, a status for each code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from mybro.errors import MybroError, ServerError

STATUS: dict[str, int] = {
    "no_credentials": 401, "bad_token": 401, "token_expired": 401, "token_revoked": 401, "bad_password": 401,
    "scope_too_small": 403, "foreign_origin": 403, "foreign_host": 421,
    "no_such_turn": 404, "no_such_utterance": 404, "no_such_question": 404, "no_such_task": 404,
    "no_such_token": 404, "no_report": 404, "stopped": 409, "no_such_job": 404,
    "no_such_checkpoint": 404, "no_diff": 404,
    "no_recording": 404, "unknown_model": 404, "not_found": 404, "model_missing": 404,
    "method_not_allowed": 405, "body_too_slow": 408, "head_too_slow": 408,
    "name_the_object": 409, "events_gone": 410,
    "body_too_large": 413, "unreadable_sound": 415, "not_understood": 422, "empty_sound": 422,
    "sound_too_long": 422, "language_unknown": 422, "bad_request": 400, "too_many_requests": 429,
    "too_many_connections": 503, "not_here": 404, "no_voice": 404,
    "recogniser_busy": 503, "recogniser_timeout": 504,
}  # fmt: skip
"""What is not listed is 503 where another try may help, else 500."""

_BY_STATUS = {
    400: "bad_request", 401: "no_credentials", 403: "scope_too_small", 404: "not_found",
    405: "method_not_allowed", 413: "body_too_large", 422: "not_understood", 429: "too_many_requests",
}  # fmt: skip


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="stable, in snake_case: programs match on it")
    message: str
    hint: str = Field("", description="what can be done about it")
    retryable: bool = Field(False, description="whether the same request may succeed later")
    request_id: str


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def status_of(error: MybroError) -> int:
    return STATUS.get(error.code, 503 if error.retryable else 500)


def body(error: MybroError, request_id: str) -> dict[str, Any]:
    detail = {"code": error.code, "message": error.message, "hint": error.hint}
    return {"error": {**detail, "retryable": error.retryable, "request_id": request_id}}


def of_status(status: int, message: str = "") -> ServerError:
    """An error that the framework knows only by its status."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "error"
    code = _BY_STATUS.get(status, phrase.lower().replace(" ", "_"))
    return ServerError(code, message or phrase)


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "Refused"},
    "5XX": {"model": ErrorBody, "description": "It could not be done"},
}
"""For the OpenAPI document of every route."""
