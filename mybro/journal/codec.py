"""Events as JSON and back."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mybro.errors import JournalError
from mybro.events import BYTES_PER_SAMPLE, AudioBlock, Event, JobProgressed, LevelMeasured
from mybro.intent import Intent

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_DETAIL = 64 * 1024
"""Characters kept of an output, diff or plan; words that were said are never cut."""

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def is_noise(event: Event) -> bool:
    """Whether an event is for meters and tickers only: it changes nothing, so it is not kept."""
    return isinstance(event, LevelMeasured) or (isinstance(event, JobProgressed) and event.kind != "step")


def clean(text: str) -> str:
    """Text that UTF-8 and SQLite can hold: NUL and lone surrogates become U+FFFD, pairs become one."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def path_text(path: Path) -> str:
    """A path as text that can be stored and compared; bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def finite(value: float) -> float:
    """The number, or 0.0 for one that neither JSON nor SQLite can hold."""
    return value if math.isfinite(value) else 0.0


def shorten(detail: str) -> str:
    """At most MAX_DETAIL characters: the beginning, and more of the end, where results stand."""
    if len(detail) <= MAX_DETAIL:
        return detail
    head, tail = MAX_DETAIL // 4, MAX_DETAIL - MAX_DETAIL // 4
    return f"{detail[:head]}\n[{len(detail) - head - tail} characters left out]\n{detail[-tail:]}"


def encode(event: Event) -> str:
    """The event's fields as a JSON object. Sound is counted, not kept: it has a file of its own."""
    return json.dumps(_plain(event), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case float():
            return finite(value)
        case AudioBlock():
            return {"start": value.start, "samples": len(value.pcm) // BYTES_PER_SAMPLE}
        case Intent():
            return _plain(value.model_dump(mode="json", exclude_none=True))
        case dict():
            return {clean(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            plain = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
            if "detail" in plain:
                plain["detail"] = shorten(plain["detail"])
            return plain
        case _:
            return value


def decode(name: str, body: str) -> Event:
    """The event again, with zeros for its sound.

    Raises `JournalError` for an event that this version does not know.
    """
    try:
        fields = json.loads(body, object_hook=_with_sound)
        if "intent" in fields:
            fields["intent"] = Intent.model_validate(fields["intent"], strict=False)
        event: Event = _adapter(name).validate_python(fields)
    except (KeyError, ValueError):
        raise JournalError("event_unreadable", f"an event {name} cannot be read by this version") from None
    return event


def _with_sound(fields: dict[str, Any]) -> Any:
    if fields.keys() == {"start", "samples"}:
        return AudioBlock(fields["start"], bytes(fields["samples"] * BYTES_PER_SAMPLE))
    return fields


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(_KINDS[name])
