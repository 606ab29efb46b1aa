"""The names that are looked out for: the repository's, kept up to date beside everything else."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mybro.index import Index, load
from mybro.index.lexicon import Lexicon, names_of
from mybro.intent import Intent
from mybro.vocabulary import ordered

OWN_WEIGHT = 50.0
"""What a person asks to be listened for comes first."""
INDEX_TIMEOUT_S = 120.0
FIRST_WAIT_S = 2.0
"""For names, before the first sentence is put right without them."""
LONG_WAIT_S = INDEX_TIMEOUT_S + 10.0


def phrases() -> Iterator[tuple[str, str, float]]:
    """Software words, for any repository."""
    for phrase in ordered("software", "PHRASES"):
        yield phrase, "phrase", 2.0


def settled_by(parse: Callable[[str], Intent | None]) -> Callable[[str], bool]:
    """Whether a sentence is understood as it is and names nothing, such as "stop" or "run the tests"."""

    def settled(text: str) -> bool:
        intent = parse(text)
        if intent is None:
            return False
        given = intent.arguments.model_dump(exclude_none=True)
        return intent.kind == "control" or not (intent.target or given)

    return settled


_ANSWERS = frozenset({"yes", "no", "stop"})


def meant_by(parse: Callable[[str], Intent | None]) -> Callable[[str], str]:
    """What a sentence asks for, if it may be guessed: no answer, and nothing that cannot be taken back."""

    def meant(text: str) -> str:
        intent = parse(text)
        if intent is None or intent.action is None or intent.action in _ANSWERS:
            return ""
        given = intent.arguments.model_dump(exclude_none=True)
        guessed = intent.risk == "destructive" or intent.needs_confirmation or intent.target or given
        return "" if guessed else intent.action

    return meant


class RepositoryNames:
    """A lexicon that follows a repository. A process of its own reads it, so that nothing waits."""

    def __init__(self, root: Path | None = None, own: Sequence[str] = ()) -> None:
        """Without `root` there are software words and `own` names only."""
        self._root = root
        self._own = [(name, "variable", OWN_WEIGHT) for name in own]
        self._refreshing = asyncio.Lock()
        self._known = asyncio.Event()
        self._index_before: Index | None = None
        self.lexicon = Lexicon([*phrases(), *self._own])
        """What is known by now; at first software words only."""

    async def refresh(self) -> None:
        """Bring the lexicon up to date; a repository that cannot be read leaves it as it is."""
        try:
            async with self._refreshing:
                if self._root is not None:
                    await self._index(self._root)
                    self.lexicon = await asyncio.to_thread(self._made)
        finally:
            self._known.set()

    async def known(self, wait_s: float = FIRST_WAIT_S) -> None:
        """Wait for the first `refresh`, a moment at most: what is said first should be heard well, too."""
        if self._root is None or self._known.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._known.wait()

    async def _index(self, root: Path) -> None:
        command = (sys.executable, "-P", "-m", "mybro.index", str(root))
        quiet = asyncio.subprocess.DEVNULL
        with contextlib.suppress(OSError):
            process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
            try:
                async with asyncio.timeout(INDEX_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                pass
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    def _made(self) -> Lexicon:
        index = load(self._root) if self._root is not None else None
        if index is not None and index == self._index_before:
            return self.lexicon
        self._index_before = index
        return Lexicon([*phrases(), *self._own, *(names_of(index) if index is not None else ())])
