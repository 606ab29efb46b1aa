"""Utterances as text: what `mybro history` and `mybro replay` show."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

from mybro.journal.records import IntentRecord, JobRecord, UtteranceRecord

WEEK_DAYS = 6
"""Within so many days a day's name says which one it was."""


_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of writing, with which a text can look like another one."""


def printable(text: str) -> str:
    """Text without what steers a terminal or turns its writing; line ends and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or not (unicodedata.category(c) == "Cc" or c in _TURNS))


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(printable(text).split())


def when(wall: float, now: float) -> str:
    """A time as a person would say it: the shorter, the nearer. Both in seconds since 1970."""
    then, today = datetime.fromtimestamp(wall).astimezone(), datetime.fromtimestamp(now).astimezone()
    days = (today.date() - then.date()).days
    if days == 0:
        return then.strftime("%H:%M")
    return then.strftime("%a %H:%M" if 0 < days <= WEEK_DAYS else "%Y-%m-%d %H:%M")


def iso(wall: float) -> str:
    """Seconds since 1970 as ISO 8601, in local time."""
    return datetime.fromtimestamp(wall).astimezone().isoformat(timespec="milliseconds")


def understood(intent: IntentRecord | None) -> str:
    """An intent in a few words: "rename old_name=load new_name=read"."""
    if intent is None:
        return ""
    given = [f"{name}={value}" for name, value in intent.body.get("arguments", {}).items()]
    target = intent.body.get("target")
    return line(" ".join([intent.action or intent.kind, *([target] if target and not given else []), *given]))


def came_of(utterance: UtteranceRecord) -> str:
    """What came of an utterance, on one line."""
    if utterance.state == "interrupted":
        return "interrupted: outcome unknown"
    if not utterance.jobs:
        return "accepted, not begun" if utterance.state == "accepted" else utterance.state
    return outcome(utterance.jobs[-1])


def outcome(job: JobRecord) -> str:
    """A job's state and summary, on one line."""
    state = "done, but" if job.state == "done" and not job.ok else job.state
    said = line(job.summary or job.title)
    return f"{state}: {said}" if said else state


def money(usd: float) -> str:
    if usd <= 0:
        return ""
    return f"${usd:.2f}" if usd >= 0.01 else f"${usd:.4f}"


def details(found: UtteranceRecord) -> list[str]:
    """An utterance as lines for a person."""
    rows = [
        f"#{found.id}  {found.state}  {iso(found.said)}  {found.source}  {line(found.repo)}",
        f"said         {line(found.text)}",
    ]
    rows.extend(
        f"heard by     {each.model}, {each.processing_ms:.0f} ms"
        for each in found.transcripts
        if each.processing_ms
    )
    if found.audio is not None:
        rows.append(f"recording    {line(str(found.audio))} ({found.duration_s:.1f} s)")
    if found.intent is not None:
        rows.append(f"understood   {understood(found.intent)} ({found.intent.risk})")
    for job in found.jobs:
        rows.append(f"job          {line(job.title)}")
        for asked in job.permissions:
            answer = f"{asked.answer or 'open'}{f' by {asked.by}' if asked.by else ''}"
            rows.append(f"asked        {line(asked.text)} {answer}")
        rows.append(f"outcome      {outcome(job)}")
        rows.extend(f"changed      {line(path)}" for path in job.changed)
        if cost := money(job.cost_usd):
            tokens = f"{job.input_tokens} tokens in, {job.output_tokens} out"
            rows.append(f"cost         {cost} ({tokens})")
        if job.detail:
            rows += ["", printable(job.detail)]
    return rows


def as_json(utterance: UtteranceRecord) -> dict[str, Any]:
    """An utterance with all that belongs to it, for `--json`."""
    plain: dict[str, Any] = dataclasses.asdict(utterance)
    plain["when"] = iso(utterance.said)
    plain["audio"] = str(utterance.audio) if utterance.audio else None
    plain["cost_usd"] = utterance.cost_usd
    return plain


_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def span_s(text: str) -> float:
    """ "30m", "12h", "2d" or "1w" in seconds. Raises `ValueError`."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no length of time")
    return float(found[1]) * _SECONDS[found[2]]


def journal_file() -> Path:
    """The journal's path, whether it exists or not."""
    from mybro.config import data_dir

    return data_dir() / "journal.db"
