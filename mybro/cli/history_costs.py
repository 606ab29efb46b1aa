"""Costs as lines of text."""

from __future__ import annotations

from pathlib import PurePath

from mybro.cli.history_text import line
from mybro.journal.records import DayCost, JobCost, SessionCost

_SHORT_ID = 8
_TITLE_CHARS = 40


def as_line(cost: DayCost | SessionCost | JobCost) -> str:
    """One line: what it is of, money, tokens, time, and of how many jobs."""
    spent = f"${cost.usd:.2f}  {cost.input_tokens} tokens in, {cost.output_tokens} out  {_time(cost.seconds)}"
    match cost:
        case DayCost():
            return f"{cost.day}  {spent}  {_jobs(cost.jobs)}"
        case SessionCost():
            days = (
                cost.first_day if cost.first_day == cost.last_day else f"{cost.first_day}-{cost.last_day[5:]}"
            )
            return f"{days}  {spent}  {_jobs(cost.jobs)}  {_who(cost)}"
        case JobCost():
            number = f"#{cost.utterance}" if cost.utterance is not None else "-"
            title = line(cost.title or "deleted")
            short = title if len(title) <= _TITLE_CHARS else title[: _TITLE_CHARS - 1] + "\u2026"
            return f"{cost.day}  {spent}  {number} {short}  {_who(cost)}"


def _who(cost: SessionCost | JobCost) -> str:
    parts = [line(PurePath(cost.repo).name), cost.agent, (cost.session or "")[:_SHORT_ID]]
    return " ".join(part for part in parts if part)


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
