"""Renames a Python symbol in the whole project, with rope."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.events import Choice, Outcome
from mybro.executor.actions import naming
from mybro.executor.actions.refactoring import Definition, Refactoring, definitions, prefer_visible
from mybro.executor.actions.sources import files, find_path, text_of
from mybro.executor.actions.work import Work
from mybro.executor.words import count_words, files_words, listed
from mybro.ops.kept import uninterrupted

ALL = "all of them"
_MOST_CHOICES = 5


@dataclass(frozen=True, slots=True)
class _Sources:
    python: dict[str, str]
    """Path to text."""
    other: dict[str, str]


async def rename(work: Work) -> Outcome:
    """Rename a symbol everywhere. Raises "needs_agent" where it is not Python's."""
    said_old, said_new = work.arguments.old_name, work.arguments.new_name
    if not said_old or not said_new:
        raise ExecutorError("no_name", "I need the old name and the new one", hint="Say: rename foo to bar.")
    sources = await asyncio.to_thread(_read, work.repo)
    old = await _which_name(work, said_old, sources)
    new = naming.spell_like(said_new, old)
    if new is None:
        raise ExecutorError("bad_name", f"“{said_new}” cannot be a name in Python")
    if new == old:
        return Outcome(f"It is called {old} already.")
    path = find_path(work.repo, work.arguments.path) if work.arguments.path else None
    found = await asyncio.to_thread(definitions, sources.python, old)
    found = prefer_visible(
        [d for d in found if path is None or d.path == path or d.path.startswith(f"{path}/")]
    )
    if not found:
        raise ExecutorError("needs_agent", f"I found no definition of {old} in Python files")
    chosen = await _which_definition(work, old, found)
    return await _carry_out(work, chosen, old, new)


async def _which_name(work: Work, said: str, sources: _Sources) -> str:
    """The identifier that is meant; asked for where several may be."""
    known = naming.identifiers(sources.python.values())
    names = naming.meant(said, known)
    if not names:
        if naming.meant(said, naming.identifiers(sources.other.values())):
            raise ExecutorError("needs_agent", f"{said} is not a name in Python files")
        close = naming.close(said, known)
        if not close:
            raise ExecutorError("no_such_name", f"I found nothing called {said}")
        return await _choose(work, f"I found no {said}. Did you mean {_or(close)}?", close)
    if len(names) == 1:
        return names[0]
    return await _choose(work, f"Which one: {_or(names[:_MOST_CHOICES])}?", names[:_MOST_CHOICES])


async def _which_definition(work: Work, old: str, found: list[Definition]) -> list[Definition]:
    if len(found) == 1:
        return found
    places = list(dict.fromkeys(d.place for d in found))[:_MOST_CHOICES]
    if len(places) == 1:
        return found
    where = f"{count_words(len(places), 'place')}: {listed(places, _MOST_CHOICES)}"
    text = f"{old} is defined in {where}. Which one, or {ALL}?"
    answer = await _choose(work, text, [*places, ALL])
    return found if answer == ALL else [d for d in found if d.place == answer]


async def _choose(work: Work, text: str, labels: list[str]) -> str:
    answer = await work.ask(text, [Choice(label) for label in labels])
    if answer is None:
        raise ExecutorError("not_chosen", "nothing was renamed, since I do not know which one you mean")
    return answer


async def _carry_out(work: Work, chosen: list[Definition], old: str, new: str) -> Outcome:
    refactoring = Refactoring(work.repo)
    try:
        edits = await _stoppable(refactoring, chosen, old, new)
    finally:
        refactoring.close()
    if not edits:
        raise ExecutorError("needs_agent", f"rope finds no use of {old} that it can rename")
    # Writing takes an instant and is not broken off in the middle.
    await uninterrupted(asyncio.to_thread(_write, work.repo, edits))
    paths = sorted(edits)
    lines = [f"{path}: {old} -> {new}" for path in paths]
    return Outcome(
        f"Renamed {old} to {new} in {count_words(len(paths), 'file')}: {files_words(paths)}.",
        detail="\n".join(lines),
    )


async def _stoppable(
    refactoring: Refactoring, chosen: list[Definition], old: str, new: str
) -> dict[str, bytes]:
    """Work the edits out in a thread, which ends soon after a cancellation; nothing is written yet."""
    thread = asyncio.create_task(asyncio.to_thread(refactoring.edits, chosen, old, new))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        refactoring.stop()
        await asyncio.wait({thread})
        raise


def _write(repo: Path, edits: dict[str, bytes]) -> None:
    for path, data in edits.items():
        (repo / path).write_bytes(data)


def _read(repo: Path) -> _Sources:
    texts = {name: text for name in files(repo) if (text := text_of(repo / name)) is not None}
    python = {name: text for name, text in texts.items() if name.endswith((".py", ".pyi"))}
    return _Sources(python, {name: text for name, text in texts.items() if name not in python})


def _or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
