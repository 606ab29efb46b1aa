"""`mybro setup`, apart from its steps: walking through them, remembering how far one came."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from mybro.config import data_dir
from mybro.errors import ConfigError, MybroError

State = Literal["done", "skipped", "failed"]


class Desk(Protocol):
    """The person, at a terminal or not there."""

    attended: bool
    """Whether there is somebody to ask."""

    def say(self, line: str) -> None:
        """Print a line."""
        ...

    def ask(self, question: str, default: str = "") -> str:
        """An answer, without blanks around it; `default` for a bare Enter, and where nobody is there."""
        ...

    def ask_secret(self, question: str) -> str:
        """An answer that is not shown; empty for a bare Enter, and where nobody is there."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended. `note` is a sentence without a full stop, and holds nothing secret."""

    state: State
    note: str
    remedy: str = ""


def done(note: str) -> Outcome:
    return Outcome("done", note)


def skipped(note: str, remedy: str = "") -> Outcome:
    return Outcome("skipped", note, remedy)


def failed(note: str, remedy: str = "") -> Outcome:
    return Outcome("failed", note, remedy)


class Step(Protocol):
    """One thing to get ready. It can be run again at any time."""

    name: str
    """What `--only` and `--skip` take."""
    title: str

    def settled(self, before: Outcome | None) -> str | None:
        """A note if there is nothing (left) to do; asks nothing, and is quick.

        `before` is how the step ended last time.
        """
        ...

    def run(self, desk: Desk) -> Outcome:
        """Do it with the person's help. Raises `MybroError` where it cannot be done."""
        ...


class Progress:
    """How far one came, in setup.json of the data folder."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or data_dir() / "setup.json"
        self.steps: dict[str, Outcome] = {}
        # A damaged file only means that settled steps are looked at anew.
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            told = json.loads(self._file.read_text(encoding="utf-8"))
            self.steps = {name: Outcome(**outcome) for name, outcome in told["steps"].items()}

    def note(self, name: str, outcome: Outcome) -> None:
        """Remember a step's outcome, on disk. Raises `ConfigError`."""
        self.steps[name] = outcome
        content = {"version": 1, "steps": {each: asdict(it) for each, it in self.steps.items()}}
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(content, indent=2), encoding="utf-8")
            part.replace(self._file)
        except OSError as error:
            raise ConfigError(
                "setup_not_saved",
                f"{self._file} cannot be written: {error.strerror}",
                hint="Make it writable, or set MYBRO_DATA_DIR to another folder",
            ) from None


MARK = {"done": "✓", "skipped": "–", "failed": "✗"}


def choose(steps: Sequence[Step], only: Collection[str], skip: Collection[str]) -> list[Step]:
    """The steps to walk through. Raises `ConfigError` for a name that is none."""
    names = [step.name for step in steps]
    unknown = [name for name in (*only, *skip) if name not in names]
    if unknown:
        raise ConfigError(
            "unknown_step", f"there is no step {unknown[0]!r}", hint=f"Steps: {', '.join(names)}"
        )
    return [step for step in steps if (not only or step.name in only) and step.name not in skip]


def walk(steps: Sequence[Step], desk: Desk, progress: Progress, *, anew: bool = False) -> bool:
    """Take the steps in order; whether none of them failed.

    A settled step is passed over, unless `anew`. What fails does not keep the later steps from being taken.
    """
    for number, step in enumerate(steps, 1):
        note = None if anew else _still(step, progress)
        if note is not None:
            outcome = done(note)
            desk.say(f"[{number}/{len(steps)}] {MARK['done']} {step.title}: {note}")
        else:
            desk.say(f"[{number}/{len(steps)}] {step.title}")
            outcome = _taken(step, desk)
            desk.say(f"      {MARK[outcome.state]} {outcome.note}")
            if outcome.remedy:
                desk.say(f"        {outcome.remedy}")
        progress.note(step.name, outcome)
    return all(progress.steps[step.name].state != "failed" for step in steps)


def _still(step: Step, progress: Progress) -> str | None:
    try:
        return step.settled(progress.steps.get(step.name))
    except MybroError:
        return None


def _taken(step: Step, desk: Desk) -> Outcome:
    try:
        return step.run(desk)
    except MybroError as error:
        return failed(error.message, error.hint)
