"""Events as JSON: one object a line, the form that `--json`, the server and the dashboard share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

from mybro.events import SAMPLE_RATE, Envelope, Understood, Utterance

_RENAMED = {Understood.__name__: "Intent"}


def wire_name(event_type: type) -> str:
    """The name under which an event of this type travels: its class name, except `Understood`: "Intent"."""
    return _RENAMED.get(event_type.__name__, event_type.__name__)


def to_wire(envelope: Envelope) -> dict[str, Any]:
    """The envelope as a JSON object.

    `event` is the name, `t` the audio time in seconds, `wall_ms` the milliseconds since the session began,
    `seq` the envelope's number; the event's own fields follow. An utterance gives `start`, `end`,
    `speech_start` and `speech_end` in seconds of audio, and never its sound. What JSON cannot hold (a
    number that is not finite, half a surrogate pair) becomes null or "?".
    """
    wire: dict[str, Any] = {
        "event": wire_name(type(envelope.event)),
        "t": round(envelope.sample / SAMPLE_RATE, 4),
        "wall_ms": round(envelope.at * 1000, 1),
        "seq": envelope.seq,
    }
    for field in fields(envelope.event):
        value = getattr(envelope.event, field.name)
        if isinstance(value, Utterance):
            wire.update(_span(value))
        else:
            wire[field.name] = plain(value)
    return wire


def to_line(envelope: Envelope) -> str:
    """The envelope as one line of strict JSON in plain ASCII, without the line's end."""
    return json.dumps(to_wire(envelope), allow_nan=False)


def _span(utterance: Utterance) -> dict[str, float]:
    samples = {
        "start": utterance.audio.start,
        "end": utterance.audio.end,
        "speech_start": utterance.speech_start,
        "speech_end": utterance.speech_end,
    }
    return {name: round(sample / SAMPLE_RATE, 4) for name, sample in samples.items()}


def plain(value: Any) -> Any:
    """A value of an event as JSON has it: enums by value, paths as text, never bytes."""
    match value:
        case Enum():
            return plain(value.value)
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case None | bool() | int():
            return value
        case float():
            return round(value, 6) if math.isfinite(value) else None
        case BaseModel():
            return plain(value.model_dump())
        case PurePath():
            return plain(str(value))
        case Mapping():
            return {str(key): plain(item) for key, item in value.items() if not isinstance(item, bytes)}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
            return {name: plain(item) for name, item in pairs if not isinstance(item, bytes)}
        case _:
            raise TypeError(f"no JSON form for {type(value).__name__}")
