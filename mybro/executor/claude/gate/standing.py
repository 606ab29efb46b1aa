"""The folders in which a command may stand by now, told by the `cd` before it."""

from __future__ import annotations

from pathlib import Path

from mybro.executor.claude.gate.words import Command

_MOST_FOLDERS = 8


class Standing:
    """Where the shell may stand; a `cd` that is not `sure` may have failed, or not have run."""

    def __init__(self, top: Path) -> None:
        self.folders = [top]
        self._left: list[Path] = []
        """Where a command may stand, besides, as soon as it may run though a `cd` before it failed."""
        self._back: list[Path] = []
        """Where `cd -` goes to, where that is certain."""
        self.pushed = False
        """Whether there is what `popd` may go back to."""
        self._apart: list[tuple[list[Path], list[Path]]] = []

    def go(self, folders: list[Path], *, sure: bool) -> bool:
        """Stand in these from now on; whether that is still few enough to be followed."""
        self._back = list(self.folders) if sure else []
        self._left += self._back
        self.folders = list(dict.fromkeys(folders if sure else [*self.folders, *folders]))
        return len(self.folders) <= _MOST_FOLDERS

    def go_back(self) -> bool:
        """`cd -`, where it is certain where from."""
        return bool(self._back) and self.go(self._back, sure=True)

    def unite(self) -> bool:
        """The end of a chain of `&&`: what follows may stand wherever a part of it stood."""
        self.folders, self._left = list(dict.fromkeys([*self.folders, *self._left])), []
        return len(self.folders) <= _MOST_FOLDERS

    def pop(self) -> bool:
        """`popd`."""
        return self.pushed and self.unite()

    def begin_apart(self) -> bool:
        """A shell of its own begins."""
        self._apart.append((list(self.folders), self._left))
        self._left = []
        return True

    def end_apart(self) -> bool:
        self.folders, self._left = self._apart.pop()
        self._back = []
        return True


class Chain:
    """Whether commands of a script hang on each other by `&&` alone."""

    def __init__(self) -> None:
        self.linked = True
        self._entered: Command | None = None
        self._moved = False

    def holds(self, names: list[str], command: Command, raw: str) -> None:
        """A command of the chain; `raw` is how it begins."""
        alone = self.linked and names in (["cd"], ["pushd"]) and not command.upstream and names == [raw]
        self._entered = command if alone else None

    def goes_on(self, operator: str) -> bool:
        """Whether the chain goes on after an operator, or none of its commands was a `cd` that counts."""
        ends = operator in (";", "&", "\n")
        if self._entered is not None and operator == "&&":
            self._entered.sure = self._moved = True
        self._entered = None
        self.linked = ends or (self.linked and operator != "||")
        broken = self._moved and (ends or operator == "||")
        self._moved = self._moved and not broken
        return not broken
