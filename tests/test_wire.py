"""The JSON form of every event, found by introspection: a new event is covered without a new test."""

from __future__ import annotations

import json
import math
import types
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from mybro import events
from mybro.errors import Problem
from mybro.events import SAMPLE_RATE, AudioBlock, Envelope, Event, Utterance
from mybro.intent import Action, Arguments, Intent
from mybro.wire import to_line, to_wire, wire_name

pytestmark = pytest.mark.unit

EVENT_TYPES: tuple[type, ...] = get_args(Event)
UTTERANCE = Utterance(AudioBlock(8_000, b"\1\0" * 16_000), 12_000, 20_000)
INTENT = Intent(
    kind="local", action=Action.RENAME, arguments=Arguments(old_name="a", new_name="b"), text="rename a to b"
)


def sample_of(annotation: Any) -> Any:
    """Some value of a field's type."""
    ready = {
        int: 7,
        float: 0.25,
        str: "words",
        bool: True,
        bytes: b"\0",
        Intent: INTENT,
        Utterance: UTTERANCE,
    }
    if annotation in ready:
        return ready[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return sample_of(next(part for part in arguments if part is not type(None)))
    if origin is tuple:
        return (sample_of(arguments[0]),)
    if is_dataclass(annotation) and isinstance(annotation, type):
        return build(annotation)
    raise AssertionError(f"no sample for {annotation}: add one here")


def build(kind: type) -> Any:
    hints = get_type_hints(kind)
    return kind(**{field.name: sample_of(hints[field.name]) for field in fields(kind)})


def envelope(event: Event, **more: Any) -> Envelope:
    return Envelope(**({"seq": 3, "at": 1.5, "event": event, "sample": 24_000} | more))


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_every_event_becomes_strict_json_with_all_its_fields(kind: type) -> None:
    event = build(kind)
    wire = to_wire(envelope(event))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(to_line(envelope(event)), parse_constant=refuse) == wire
    assert list(wire)[:4] == ["event", "t", "wall_ms", "seq"]
    assert (wire["t"], wire["wall_ms"], wire["seq"]) == (1.5, 1500.0, 3)
    expected = {field.name for field in fields(kind)}
    assert not expected & {"event", "t", "wall_ms", "seq"}, "a field would hide one of the envelope's"
    if "utterance" in expected:
        expected = expected - {"utterance"} | {"start", "end", "speech_start", "speech_end"}
    assert set(wire) == expected | {"event", "t", "wall_ms", "seq"}


def test_names_are_class_names_except_that_understood_travels_as_intent() -> None:
    names = [wire_name(kind) for kind in EVENT_TYPES]
    assert len(set(names)) == len(names)
    assert set(names) ^ {kind.__name__ for kind in EVENT_TYPES} == {"Understood", "Intent"}
    wire = to_wire(envelope(events.Understood(1, INTENT)))
    assert wire["event"] == "Intent"
    assert wire["intent"]["action"] == "rename" and type(wire["intent"]["action"]) is str
    assert wire["intent"] == INTENT.model_dump(mode="json")


def test_an_utterance_is_told_in_seconds_and_without_its_sound() -> None:
    wire = to_wire(envelope(events.SpeechEnded(2, UTTERANCE)))
    assert {key: wire[key] for key in ("start", "end", "speech_start", "speech_end")} == {
        "start": 0.5, "end": 1.5, "speech_start": 0.75, "speech_end": 1.25,
    }  # fmt: skip
    assert SAMPLE_RATE == 16_000
    assert len(to_line(envelope(events.SpeechEnded(2, UTTERANCE)))) < 200


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_become_null(number: float) -> None:
    level = events.LevelMeasured(1, number, -3.0)
    assert json.loads(to_line(envelope(level)))["rms_dbfs"] is None


def test_half_a_surrogate_pair_in_a_file_name_becomes_a_question_mark() -> None:
    finished = events.JobFinished(1, events.Outcome("done", changed=("caf\udce9.py",)))
    line = to_line(envelope(finished))
    line.encode("ascii")
    assert json.loads(line)["outcome"]["changed"] == ["caf?.py"]


def test_a_problem_is_an_object() -> None:
    troubled = events.SourceTroubled(Problem("silence", "the microphone is silent", "Open the privacy pane"))
    assert to_wire(envelope(troubled))["problem"] == {
        "code": "silence", "message": "the microphone is silent", "hint": "Open the privacy pane",
        "retryable": False,
    }  # fmt: skip


def test_one_line_stays_one_line() -> None:
    text = events.JobProgressed(1, "two\nlines\u2028and\rmore", "output")
    assert len(to_line(envelope(text)).splitlines()) == 1
    assert json.loads(to_line(envelope(replace(text, text="x"))))["text"] == "x"
