"""Where a command stands, and which places its words name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from mybro.executor.checkpoint.entry import Limits
from mybro.executor.claude.gate.harm import harms
from mybro.executor.claude.gate.paths import matching, under
from mybro.executor.claude.gate.secrecy import is_secret
from mybro.executor.claude.gate.standing import Standing
from mybro.executor.claude.gate.traces import Reach, Traces, worst
from mybro.executor.claude.gate.words import Command, Word
from mybro.executor.claude.overwriting import gone_for_good, ignored_below
from mybro.vocabulary import words as word_lists

__all__ = ["Place", "Reach", "Rule", "is_secret", "worst"]

PROTECTED = frozenset({".git", ".claude", ".mcp.json"})
"""Inside the repository, yet not covered by its checkpoint, or able to run things later."""

_STREAMS = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/63"})
_OPEN = (
    "/usr/include/",
    "/usr/share/",
    "/usr/lib/",
    "/usr/bin/",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
)
_TEMPORARY = re.compile(r"(?:/private)?/tmp/([\w][\w.@+-]*)(/[\w.@+/-]*)?")
"""Work that is kept out of the repository; nothing that is there is written over."""
_TEMPORARY_ROOTS = ("/tmp", "/private/tmp")  # noqa: S108
_MOST_NAMES = 5000
_COMPILED = frozenset(f".{one}" for one in word_lists("effects")["COMPILED"])
_NOT_SOURCES = frozenset({"node_modules", "target", "build", "dist", "vendor", "test", "tests", "bin", "obj"})
_MOST_SOURCES = 2_000_000
_LONGEST_PROGRAM = 200_000


Rule = Callable[[Command, "Place"], Reach | None]


class Place(Standing):
    """The repository, and the folders in which a command may stand by now."""

    def __init__(self, repo: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.top = Path(os.path.realpath(repo))
        super().__init__(self.top)
        self._made: list[Path] = []
        self.own: list[Path] = []
        """What was not there before the command line made it."""
        self.started = False
        """Whether the command line starts something that runs beside it."""
        self.passing = False
        """Whether temporary places may be read: by what reads, not by what runs or loads."""
        self.moved = False
        """Whether something that was there may lie, by now, in what was made."""
        self.traces = Traces()
        self.paths: list[Path] = []
        """Where Python looks for modules besides."""
        self.scripts = 0
        """How many programs of the repository were read."""
        self.compiled: set[str] = set()
        """Programs that the command line builds, of sources that do no harm."""
        self.wraps = 0
        """How many programs were found behind one that runs them."""

    def enter(self, word: Word, *, sure: bool = False) -> bool:
        """Change the folder; `sure`: what follows runs only where that succeeded."""
        if sure and word.text == "-":
            return self.go_back()
        if word.text is None or word.text.startswith("-") or not self.reads(word):
            self.go([], sure=False)
            return word.local or (word.quoted and word.glob and self.reads(word))
        return self.go([Path(os.path.realpath(folder / word.text)) for folder in self.folders], sure=sure)

    def reads(self, word: Word, *, content: bool = True) -> bool:
        """Whether it names what may be read: in the work tree, and no secret, if its content is seen."""
        if word.values is None:
            return word.local
        return all(self._readable(value, glob=word.glob, content=content) for value in word.values)

    def makes(self, word: Word, *, append: bool = False, content: str | None = None) -> Reach | None:
        """Whether a file may be made, or added to, under this name; with its content where that is known."""
        reach = self.touches(word, append=append)
        if append and self.loses(word):
            return None
        if reach is Reach.WRITES:
            self.puts(word, None if append else content)
        return reach

    def touches(self, word: Word, *, append: bool = True) -> Reach | None:
        """Whether a file may be made under this name, or be there already."""
        if word.text in _STREAMS:
            return Reach.READS
        if word.text is not None and self.is_temporary(word.text):
            if not append and any(Path(word.text) == made for made in self._made):
                return None
            self._made.append(Path(word.text))
            return Reach.WRITES
        if (
            word.values is None
            or word.glob
            or not all(self._new(value, append=append) for value in word.values)
        ):
            return None
        # What a command has made itself holds what it put there: it is not made anew.
        paths = [Path(os.path.realpath(folder / value)) for value in word.values for folder in self.folders]
        if not append:
            if any(path.is_relative_to(made) for path in paths for made in self._made):
                return None
            self._made += paths
        return Reach.WRITES

    def is_temporary(self, value: str) -> bool:
        """Whether it is a temporary place that is not there yet, or that the command line makes."""
        found = _TEMPORARY.fullmatch(value)
        return found is not None and ".." not in value and not os.path.lexists(f"/tmp/{found[1]}")  # noqa: S108

    def is_own(self, word: Word) -> bool:
        """Whether it names nothing but what this command line has made itself."""
        if word.values is None or word.glob or self.moved:
            return False
        paths = [Path(os.path.normpath(folder / value)) for folder in self.folders for value in word.values]
        own = {*self.own, *self._made}
        return all(
            not os.path.lexists(path)
            and (any(path.is_relative_to(made) for made in own) or str(path).startswith("/tmp/mybro-mktemp-"))  # noqa: S108
            for path in paths
        )

    def made(self, word: Word) -> None:
        """Keep in mind that the command line makes these itself."""
        self.own += [
            Path(os.path.normpath(folder / value)) for value in word.values or () for folder in self.folders
        ]

    def puts(self, word: Word, content: str | None = None) -> None:
        """Keep in mind that these files get another content."""
        for value in word.values or ():
            for path in (self.top / value if word.glob else folder / value for folder in self.folders):
                real = Path(os.path.realpath(path))
                self.traces.written[real] = None if real in self.traces.written else content
        self.traces.shuffled |= word.glob or word.values is None

    def program(self, path: Path) -> str | None:
        """The text of a program in the repository, "" where there is none; None where it is not certain."""
        real = Path(os.path.realpath(path))
        if not (self._below(real) or real in self.traces.written) or is_secret(real.name, glob=False):
            return None
        self.traces.read.add(real)
        if (told := self.traces.written.get(real)) is not None and not real.exists():
            self.traces.told.add(real)
            return told
        try:
            return real.read_text(encoding="utf-8")[:_LONGEST_PROGRAM] if real.is_file() else ""
        except (OSError, ValueError):
            return None

    def sources_harm(self) -> bool:
        """Whether a program of the repository could destroy or write something, told by its words."""
        size = found = 0
        for where, names, files in os.walk(self.top):
            names[:] = [name for name in names if name[0] != "." and name not in _NOT_SOURCES]
            for name in files:
                if Path(name).suffix not in _COMPILED:
                    continue
                text = self.program(Path(where) / name)
                found += 1
                size += len(text or "")
                if harms(text) or size > _MOST_SOURCES:
                    return True
        return not found

    def changes(self, word: Word) -> bool:
        """Whether it names files that may be edited."""
        if word.values is None or word.glob:
            return bool(word.values) and all(
                self._inside(v.split("*")[0] or ".") and self.reads(word) for v in word.values or ()
            )
        return all(self._inside(value) and not is_secret(value, glob=False) for value in word.values)

    def edits(self, word: Word) -> bool:
        """Whether it names files that may be edited, each of which can be brought back."""
        return self.changes(word) and not self.loses(word)

    def loses(self, word: Word) -> bool:
        """Whether it names a file of which nothing brings back what is in it now."""
        names = [
            path
            for folder in self.folders
            for value in word.values or ()
            for path in (matching(folder, value) if word.glob else [under(folder, value)])
        ]
        return gone_for_good(names[:_MOST_NAMES], self.top, self._limits)

    def hides(self, command: Command, suffixes: tuple[str, ...] = ()) -> bool:
        """Whether something that git ignores, with such an ending, lies below the places it names."""
        if self._limits.ignored:
            return False
        told = [word.text for word in command.words[1:] if word.text and self.is_folder(word.text)]
        places = (under(folder, name) for folder in self.folders for name in told or ["."])
        return ignored_below(places, self.top, suffixes)

    def exists(self, value: str) -> bool:
        plain = os.path.normpath(value)
        return any(os.path.lexists(under(folder, name)) for folder in self.folders for name in (value, plain))

    def is_folder(self, value: str) -> bool:
        return all(under(folder, value).is_dir() for folder in self.folders)

    def _readable(self, value: str, *, glob: bool, content: bool = True) -> bool:
        if value in _STREAMS or not value:
            return True
        if content and is_secret(value, glob=glob):
            return False
        if value.startswith(_OPEN) and ".." not in value:
            return True
        if glob:
            fixed, wild = re.match(r"([^*?\[]*)(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
            if ".." in wild or value.startswith("~"):
                return False
            start = fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")
            if not all(self._below(folder / start) for folder in self.folders):
                return False
            places = (path for folder in self.folders for path in matching(folder, value))
            names = [os.path.relpath(path, self.top) for path in islice(places, _MOST_NAMES)]
            return len(names) < _MOST_NAMES and not (content and any(is_secret(n, glob=False) for n in names))
        return not value.startswith("~") and all(
            self._below(folder / value) or (self.passing and self._passing(folder, value))
            for folder in self.folders
        )

    def _passing(self, folder: Path, value: str) -> bool:
        """Whether it is named as a temporary place, or stands in one that was entered."""
        named = value.startswith(_TEMPORARY_ROOTS) or (
            folder != self.top and str(folder).startswith(_TEMPORARY_ROOTS)
        )
        plain = os.path.normpath(folder / value)
        return (
            named
            and ".." not in value
            and (plain in _TEMPORARY_ROOTS or self.is_temporary(plain) or _read_temporary(plain))
        )

    def _new(self, value: str, *, append: bool) -> bool:
        if not value or not self._inside(value) or is_secret(value, glob=False):
            return False
        if re.search(r"[$`\n]|(^|/)-", value):
            return False  # a name that could be taken for a command or an option later
        return append or not self.exists(value)

    def _inside(self, value: str) -> bool:
        if value.startswith("~"):
            return False
        for folder in self.folders:
            real = Path(os.path.realpath(folder / value))
            if self.is_temporary(str(real)):
                continue
            if not self._below(real):
                return False
            if PROTECTED & {part.casefold() for part in real.relative_to(self.top).parts}:
                return False
        return True

    def _below(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.top)


def _read_temporary(value: str) -> bool:
    """Whether it is a file right in the folder for temporary files, and no link to elsewhere."""
    found = _TEMPORARY.fullmatch(value)
    return (
        found is not None
        and not found[2]
        and not Path(value).is_dir()
        and os.path.realpath(value).endswith(value)
    )
