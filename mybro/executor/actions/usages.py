"""Where an identifier is used."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions import naming
from mybro.executor.actions.sources import files, text_of
from mybro.executor.actions.work import Work
from mybro.executor.words import count_words, files_words, listed

_SHOWN = 500
_LINE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Usage:
    """One line that holds the identifier."""

    path: str
    line: int
    text: str
    times: int


async def find_usages(work: Work) -> Outcome:
    """Count and list the uses of a symbol, whole words only."""
    said = work.arguments.symbol or work.job.intent.target
    if not said:
        raise ExecutorError(
            "no_symbol", "I did not hear which name to look for", hint="Say: find usages of parse date."
        )
    names, found = await asyncio.to_thread(_search, work.repo, said)
    if not found:
        return Outcome(f"I found no {said}.", ok=False)
    total = sum(usage.times for usage in found)
    by_file = Counter[str]()
    for usage in found:
        by_file[usage.path] += usage.times
    places = [path for path, _ in by_file.most_common()]
    where = f"in {places[0]}" if len(places) == 1 else f"in {len(places)} files: {files_words(places)}"
    lines = [f"{u.path}:{u.line}: {u.text}" for u in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"({len(found) - _SHOWN} more lines)")
    return Outcome(f"{listed(names)} is used {count_words(total, 'time')} {where}.", detail="\n".join(lines))


def _search(repo: Path, said: str) -> tuple[list[str], list[Usage]]:
    texts = {name: text for name in files(repo) if (text := text_of(repo / name)) is not None}
    known = naming.identifiers(texts.values())
    names = naming.meant(said, known) or naming.close(said, known, most=1)
    if not names:
        return [], []
    pattern = re.compile(rf"(?<![\w$])(?:{'|'.join(map(re.escape, names))})(?![\w$])")
    return names, [usage for path, text in texts.items() for usage in _lines(path, text, pattern)]


def _lines(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[Usage]:
    if not pattern.search(text):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if times := len(pattern.findall(line)):
            yield Usage(path, number, line.strip()[:_LINE_CHARS], times)
