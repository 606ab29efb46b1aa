"""`mybro doctor` by voice: how healthy a repository is; a finding explained, mended or given to an agent."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Event, Outcome
from mybro.executor.actions import diagnosis
from mybro.executor.actions.checkup import Checkup, Entry, remember, remembered
from mybro.executor.actions.delegating import judged, task
from mybro.executor.actions.work import Work, last_words, scratch_file
from mybro.executor.checkpoint.git import Git
from mybro.executor.hand import Job
from mybro.executor.handover import HandoverError
from mybro.executor.words import count_words, files_words
from mybro.intent import Action, Intent

_ENGINES = ("complexipy", "deptry", "validate_pyproject", "vulture")
"""Some of what the extra `doctor` installs."""
_SHOWN = 5
_PLACES_SHOWN = 3
_TOLD = frozenset({0, 1, 3})
"""Exit statuses of an examination that took place."""


def installed() -> bool:
    """Whether the doctor's engines are here."""
    return all(importlib.util.find_spec(name) is not None for name in _ENGINES)


async def examine(work: Work) -> Outcome:
    """How healthy the repository is; without the doctor's engines, what a quick look shows."""
    if not installed():
        return await diagnosis.diagnose(work)
    await work.step("the doctor is looking")
    found = await look(work)
    remember(work.repo, found)
    git = Git.at(work.repo)
    middle = diagnosis.unfinished(git) if git is not None else []
    return Outcome(
        " ".join([*_said(found), *middle]), ok=found.exit_code != 1 and not middle, detail=listing(found)
    )


async def look(work: Work, *options: str) -> Checkup:
    """Have the repository examined by a process of its own. Raises `ExecutorError`."""
    return Checkup.model_validate(await _doctor(work, *options))


async def checked(repo: Path, settings: ExecutorSettings) -> Checkup:
    """The same for who asks without a job; remembered as well. Raises `ExecutorError`."""

    async def unseen(event: Event) -> None: ...

    intent = Intent(kind="local", action=Action.DOCTOR, text="")
    found = await look(Work(Job(0, 0, intent, repo, lambda: 0), unseen, settings))
    remember(repo, found)
    return found


async def explain(work: Work) -> Outcome:
    """Why one finding, or a check, matters, and how to mend it."""
    name = work.arguments.name
    if work.arguments.number is not None:
        entry = _numbered(work, work.arguments.number)
    elif name is not None:
        known = remembered(work.repo)
        here = [entry for entry in known.important if entry.id == name] if known else []
        entry = here[0] if here else Entry.model_validate(await _doctor(work, "--explain", name))
    else:
        raise HandoverError("it was not said which finding is meant")
    return Outcome(
        f"{_first(entry.title)} {_first(entry.why)} To mend it: {_first(entry.mend)}", detail=_page(entry)
    )


async def fix(work: Work) -> Outcome:
    """Mend what can be mended without changing what the code does; by the person's word, also the rest."""
    unsafe, number = work.arguments.name is not None, work.arguments.number
    entry = _numbered(work, number) if number is not None else None
    if entry is not None and (why := _no_fix(entry, number or 0, unsafe)):
        return Outcome(why, ok=False, detail=_page(entry))
    options = ["--fix", "--checkpointed", *(["--unsafe-fixes"] if unsafe else [])]
    if entry is not None:
        here = [path for path in entry.paths if (work.repo / path).is_file()]
        whole = entry.count > len(entry.places)
        options += ["--select", entry.id, *([] if whole or not here else ["--", *here])]
    await work.step("the doctor is mending")
    told = await _doctor(work, *options)
    refused = [f"left as it is: {path}, {why}" for path, why in told["refused"].items()]
    left = f" I left {files_words(list(told['refused']))} as it was." if refused else ""
    detail = "\n".join([told["diff"], *refused]).strip()
    if not told["files"]:
        nothing = "There is nothing that mends itself." if unsafe else "There is nothing to mend safely."
        return Outcome(nothing + left, ok=not refused, detail=detail)
    return Outcome(
        f"Mended {count_words(told['mended'], 'finding')} in {files_words(told['files'])}.{left}",
        detail=detail,
    )


async def delegate(work: Work) -> Outcome:
    """Give what the doctor found, as it stands now, to a coding session, and look again afterwards."""
    number, known = work.arguments.number, remembered(work.repo)
    if known is None:
        raise HandoverError("the doctor has not looked here yet, which it does at: how healthy is this repo")
    wanted = [_numbered(work, number)] if number is not None else list(known.important)
    if not wanted:
        return Outcome("The doctor had found nothing wrong.")
    checks = ",".join(entry.id for entry in wanted)
    await work.step("the doctor is looking again")
    fresh = await look(work, "--select", checks)
    if not fresh.important:
        return Outcome("Nothing of that is left to mend.")
    words, given = task(fresh.important, len(wanted) > 1)

    async def judge(outcome: Outcome) -> Outcome:
        await work.step("the doctor is looking again")
        try:
            again = await look(work, "--select", ",".join(entry.id for entry in given))
            return judged(outcome, again, len(fresh.important) - len(given))
        except ExecutorError as error:
            return judged(outcome, error)

    raise HandoverError("only a coding session can mend that", words, judge)


async def _doctor(work: Work, *options: str) -> dict[str, Any]:
    """Run `mybro doctor --json`. Raises `ExecutorError`."""
    with scratch_file(".json") as report:
        # -P: a folder of the repository must not be taken for this program.
        argv = (sys.executable, "-P", "-m", "mybro", "doctor", "--json", "-o", str(report))
        result = await work.run(*argv, *options, quiet=True)
        if result.returncode not in _TOLD or not report.is_file():
            raise ExecutorError("doctor_failed", f"the doctor could not look: {last_words(result)}")
        told: dict[str, Any] = json.loads(report.read_bytes())
    return told


def _numbered(work: Work, number: int) -> Entry:
    known = remembered(work.repo)
    if known is None:
        raise HandoverError("the doctor has not looked here yet, which it does at: how healthy is this repo")
    if number > len(known.important):
        there = count_words(len(known.important), "entry", "entries")
        raise ExecutorError(
            "no_such_finding", f"the doctor's list has {there}", hint="Say: how healthy is this repo."
        )
    return known.important[number - 1]


def _no_fix(entry: Entry, number: int, unsafe: bool) -> str:
    if entry.mends.safe or (unsafe and entry.mends.unsafe):
        return ""
    if entry.mends.unsafe:
        return f"Number {number} is mended only unsafely. Say: fix number {number} even if it is unsafe."
    return f"Number {number} does not mend itself. Say: let Claude fix number {number}."


def _said(found: Checkup) -> list[str]:
    words = [f"Health {found.score} of 100."]
    if found.important:
        worst = found.important[0]
        where = f", in {files_words(worst.paths, 1)}" if worst.paths else ""
        words.append(f"{count_words(found.total, 'finding')}, the worst: {_lower(worst.title)}{where}.")
    else:
        words.append("I found nothing wrong.")
    if not found.complete:
        words.append("I could not look at everything.")
    return words


def listing(found: Checkup) -> str:
    """The list on screen: what matters most, numbered."""
    counts = ", ".join(f"{count} {level}" for level, count in found.counts.items() if count)
    lines = [f"Health {found.score} of 100 ({found.grade})" + (f": {counts}" if counts else "")]
    for number, entry in enumerate(found.important[:_SHOWN], 1):
        mends = ", mends itself" if entry.mends.safe == entry.count else ""
        lines += [f"{number}. {entry.title}  [{entry.id}, {entry.severity}{mends}]", f"   {_places(entry)}"]
    if (more := len(found.important) - _SHOWN) > 0:
        lines.append(f"and {more} more, up to number {len(found.important)}: mybro doctor")
    lines += [f"not looked at: {gap.what} ({gap.why})" for gap in found.unexamined if gap.partial][:_SHOWN]
    if found.important:
        lines.append("Say: explain number one, fix the safe ones, fix number two, let Claude fix the rest.")
    return "\n".join(lines)


def _page(entry: Entry) -> str:
    lines = [f"{entry.id}  {entry.title} ({entry.severity})", f"Why: {entry.why}", f"Mend: {entry.mend}"]
    return "\n".join([*lines, *(f"  {place}" for place in entry.places)])


def _places(entry: Entry) -> str:
    shown = [str(place) for place in entry.places[:_PLACES_SHOWN]]
    more = entry.count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _first(text: str) -> str:
    """The first sentence."""
    sentence = text.split(". ", 1)[0].rstrip(".")
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
