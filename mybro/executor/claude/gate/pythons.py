"""Python programs of which enough is understood: they compute, print, and read files of the repository.

What a program could do enters by its modules and a few built-in functions. So these are lists of what is
harmless; names that lead out of a module into another are doors, and attributes that cannot be told are too.
Modules of the repository are read in turn.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.python_names import FRAMEWORKS, MODULES, MOST, is_door
from mybro.executor.claude.gate.python_program import Program
from mybro.ops.syntax import parse


def python_only_computes(program: str, place: Place | None = None, *, whole: bool = False) -> bool:
    """Whether a Python program does nothing but compute, print and read.

    `place`: where it would run; without one it imports nothing of the repository. `whole`: a program that is
    more than a line, which may use well-known packages.
    """
    return _Programs(place, whole=whole).calm(program)


def file_is_calm(path: Path, place: Place) -> bool:
    """The same of a program of the repository, and of all that it imports from there."""
    return _Programs(place, whole=True).file(path)


def module_is_calm(name: str, place: Place) -> bool:
    """The same of `python -m NAME`; only of the repository's own modules."""
    return _Programs(place, whole=True).module(name) == "calm"


class _Programs:
    def __init__(self, place: Place | None, *, whole: bool) -> None:
        self.place, self.whole = place, whole
        self.folders: list[Path] = []
        """Where programs lie that are run: what they import is looked for there first."""
        self.seen: set[Path] = set()

    def calm(self, program: str) -> bool:
        try:
            tree = parse(program)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        nodes = list(ast.walk(tree))
        return Program(self, nodes).is_calm()

    def module(self, name: str) -> str:
        """Where a module is found: "calm" or "risky" in the repository, "known", "package" or "strange"."""
        if (found := self.local(name)) is not None:
            return "calm" if found else "risky"
        top = name.partition(".")[0]
        if name in MODULES:
            return "known"
        if any(is_door(part) for part in name.split(".")[1:]) and name not in MODULES:
            return "strange"
        if top in sys.stdlib_module_names or top.startswith("_"):
            return "strange"
        return "known" if top in FRAMEWORKS else "package"

    def local(self, name: str) -> bool | None:
        """Whether the repository's module of this name is calm; None where it has none."""
        if self.place is None:
            return None
        folders = [
            *self.place.paths,
            *self.folders,
            *self.place.folders,
            *(self.place.top / one for one in ("src", "lib", "python")),
        ]
        found: bool | None = None
        parts = name.split(".")
        for folder in dict.fromkeys(folders):
            for count in range(1, len(parts) + 1):
                stem = folder.joinpath(*parts[:count])
                for path in (stem.with_name(stem.name + ".py"), stem / "__init__.py", stem / "__main__.py"):
                    self.place.traces.read.add(path)
                    if path.is_file() or path in self.place.traces.written:
                        found = found is not False and self.file(path)
                if stem.is_dir() and count == len(parts) and found is None:
                    found = True
                if any(stem.parent.glob(f"{stem.name}.*.so")):
                    found = False
        return found

    def file(self, path: Path) -> bool:
        """Whether a program in the repository is calm; one that is not there does nothing."""
        if path in self.seen:
            return True
        self.folders.append(path.parent)
        self.seen.add(path)
        if self.place is None or len(self.seen) > MOST:
            return False
        text = self.place.program(path)
        before, self.whole = self.whole, True
        try:
            return text is not None and self.calm(text)
        finally:
            self.whole = before
