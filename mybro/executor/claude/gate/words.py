"""The words of a shell script, as what they may become: quotes, variables, substitutions, braces, globs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

OPEN, CLOSE, COMMA = "\ue000", "\ue001", "\ue002"
"""Stand for unquoted braces and commas until they are expanded."""
_ESCAPED = {"*": "\ue003", "?": "\ue004", "[": "\ue005", "~": "\ue006"}
"""Stand for what would be special if it were not quoted."""
_PLAIN_AGAIN = str.maketrans({v: k for k, v in _ESCAPED.items()} | {OPEN: "{", CLOSE: "}", COMMA: ","})
JOB = "\ue012"
"""In place of `$!`: a process that the command line has started itself."""
META = frozenset(" \t\n;&|<>()")
SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|_KEY|APIKEY|CREDENTIAL|_PAT$|_DSN$|DATABASE_URL", re.IGNORECASE
)
_DEPTH, _MOST_VALUES, _MOST_WORDS = 5, 40, 500
_ARITHMETIC = re.compile(r"[\w\s+\-*/%<>=!?:,$()]*")
_SUBSCRIPT = re.compile(r"\w\[.*(\$[({]|`)", re.DOTALL)
"""A shell that computes with such a text runs what is in it."""
_NUMBER = re.compile(
    r"\"?(-?\d+(?![\w\[])|\$\(\(|\$[?#]|\$\{#"
    r"|\$\((wc|nproc|seq|date \+|grep -\w*c|[^()`;&]*\| *(wc|grep -c)\b))"
)
_NUMBERS = re.compile(r"\s+in((\s+-?\d+)+|\s+\{-?\d+\.\.-?\d+\}|\s+\$\(seq [\w $\"]+\))\s*[;\n]")


class StrangeError(ValueError):
    """The script is not understood for certain."""


@dataclass(frozen=True, slots=True)
class Word:
    """One argument. `values` are all that it may be; None where that is not known."""

    values: tuple[str, ...] | None
    glob: bool = False
    quoted: bool = False
    local: bool = False
    """Not known, but a name from the work tree or a number."""

    @property
    def text(self) -> str | None:
        """What it is, where it is one thing and no pattern."""
        return self.values[0] if self.values is not None and len(self.values) == 1 and not self.glob else None


@dataclass(slots=True)
class Command:
    """One program with its arguments, wherever it stands in the script."""

    words: list[Word] = field(default_factory=list)
    assigned: list[tuple[str, Word]] = field(default_factory=list)
    redirected: list[tuple[str, Word]] = field(default_factory=list)
    upstream: tuple[str, ...] = ()
    """The programs before it in its pipeline."""
    feeding: tuple[Command, ...] = ()
    """These programs themselves."""
    document: str | None = None
    """What a here-document gives it to read."""
    sure: bool = False  # what follows in its chain runs only where it succeeds
    repeated: bool = False  # it stands in a loop, or under a condition


@dataclass(slots=True)
class _Piece:
    """A part of a word; `value` None: not known."""

    value: tuple[str, ...] | None
    local: bool = False


class WordReader:
    """A place in a script, from which words are taken; its subclass knows of commands."""

    def __init__(
        self,
        text: str,
        unsure: Mapping[str, None],
        producers: Callable[[list[Command]], bool],
        depth: int = 0,
    ) -> None:
        if depth > _DEPTH:
            raise StrangeError
        self.text, self.at, self.depth = text, 0, depth
        self.whole = text
        """The script that this is a part of."""
        self.unsure, self.producers = unsure, producers
        self.known: dict[str, Word] = {}
        self.found: list[Command] = []

    def commands_inside(self, script: str | None) -> list[Command]:
        """Commands in brackets that begin here, or all of another script's."""
        raise NotImplementedError

    def blanks(self, *, comments: bool = True) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif comments and self.text[self.at] == "#":
                self.at = self.text.find("\n", self.at) if "\n" in self.text[self.at :] else len(self.text)
            else:
                return

    def expand(self) -> list[Word]:
        """One word as it is written, as the words that it becomes."""
        pieces, quoted = self._pieces()
        if any(piece.value is None for piece in pieces):
            told = all(piece.local or piece.value is not None for piece in pieces)
            # A fixed beginning that leads elsewhere spoils what follows, and so does a way up.
            fixed = "".join(piece.value[0] if piece.value else "\0" for piece in pieces)
            leads = re.search(r"^[/~-]|(^|[/\0])\.\.($|[/\0])", fixed) is not None
            leads = leads or any(len(piece.value or "?") > 1 for piece in pieces)
            if told and fixed == "-j\0":
                return [Word(("-j2",))]  # $(nproc), or another number
            return [Word(None, quoted=quoted, local=told and not leads)]
        ways = itertools.product(*(piece.value or ("",) for piece in pieces))
        combined = ["".join(parts) for parts in itertools.islice(ways, _MOST_VALUES + 1)]
        if len(combined) > _MOST_VALUES:
            return [Word(None)]
        several = len(combined) > 1
        left = [_MOST_WORDS]
        expanded = [text for whole in combined for text in _braces(whole, left)]
        words = [_finished(at_home(text, self.known), quoted=quoted) for text in expanded]
        if several:
            values = tuple(value for word in words for value in word.values or ())
            return [Word(values, glob=any(word.glob for word in words), quoted=quoted)]
        return words

    def _pieces(self) -> tuple[list[_Piece], bool]:
        pieces: list[_Piece] = []
        quoted = False
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in META:
            char = self.text[self.at]
            self.at += 1
            if char == "\\":
                if not self.text.startswith("\n", self.at):
                    quoted = True
                    pieces.append(_Piece((_kept(self.text[self.at : self.at + 1]),)))
                self.at += 1
            elif char == "'":
                end = self.text.find("'", self.at)
                if end < 0:
                    raise StrangeError
                pieces.append(_Piece((_kept(self.text[self.at : end]),)))
                self.at, quoted = end + 1, True
            elif char == '"':
                pieces += self._double()
                quoted = True
            elif char in "$`":
                pieces.append(self._expansion(char, inside=False))
            else:
                pieces.append(_Piece(({"{": OPEN, "}": CLOSE, ",": COMMA}.get(char, char),)))
        if self.at == start:
            raise StrangeError
        return pieces or [_Piece(("",))], quoted

    def _double(self) -> list[_Piece]:
        pieces = [_Piece(("",))]
        while True:
            if self.at >= len(self.text):
                raise StrangeError
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                return pieces
            if char == "\\" and self.text[self.at : self.at + 1] in ("$", "`", '"', "\\", "\n"):
                pieces.append(_Piece((self.text[self.at].strip("\n"),)))
                self.at += 1
            elif char in "$`":
                pieces.append(self._expansion(char, inside=True))
            else:
                pieces.append(_Piece((_kept(char),)))

    def _expansion(self, char: str, *, inside: bool) -> _Piece:
        """What follows a dollar sign or a backquote."""
        rest = self.text[self.at :]
        if char == "`":
            content, end, _ = rest.partition("`")
            if not end or "\\" in content:
                raise StrangeError
            self.at += len(content) + 1
            return self._substituted(content)
        if rest.startswith("(("):
            content = rest[2 : rest.find("))")] if "))" in rest else "["
            if not _ARITHMETIC.fullmatch(content) or "$(" in content:
                raise StrangeError
            if not all(self._counts(name) for name in re.findall(r"[A-Za-z_]\w*", content)):
                raise StrangeError
            self.at += len(content) + 4
            return _Piece(None, local=True)
        if rest.startswith("("):
            self.at += 1
            return self._substituted(None)
        if found := re.match(r"\{#?([A-Za-z_]\w*)(:?-[\w./]*|[#%]{1,2}[\w./*?-]*)?\}|([A-Za-z_]\w*)", rest):
            self.at += found.end()
            if found[0].startswith("{#"):
                return _Piece(None, local=True)
            return self._variable(found[1] or found[3], found[2] or "", inside=inside)
        if found := re.match(r"[?#$!]|\{PIPESTATUS\[[\d@*]+\]\}", rest):
            self.at += 1
            return _Piece((JOB,)) if rest[0] == "!" else _Piece(None, local=True)
        if re.match(r"[{'\"\[]", rest) and not (inside and rest[0] in "'\""):
            raise StrangeError
        if found := re.match(r"[@*0-9_-]", rest):
            self.at += 1
            return _Piece(None)
        return _Piece(("$",))

    def _counts(self, name: str) -> bool:
        """Whether a variable is never given anything but numbers."""
        for found in re.finditer(rf"(?<![\w$]){name}(?!\w)", self.whole):
            after, before = self.whole[found.end() :], self.whole[: found.start()].split()[-3:]
            if before[-1:] == ["for"] and not _NUMBERS.match(after):
                return False
            if after.startswith("=") and not after.startswith("==") and not _NUMBER.match(after[1:]):
                return False
            if "read" in before or "mapfile" in before:
                return False
        return True

    def _substituted(self, script: str | None) -> _Piece:
        commands = self.commands_inside(script)
        names = [[word.text for word in one.words] for one in commands]
        if names in ([["mktemp"]], [["mktemp", "-d"]]):
            return _Piece((f"/tmp/mybro-mktemp-{self.at + self.depth}",))  # noqa: S108
        return _Piece(None, local=self.producers(commands))

    def _variable(self, name: str, default: str, *, inside: bool) -> _Piece:
        word = self.known.get(name)
        if word is None and SECRET.search(name):
            raise StrangeError  # it would be shown
        if default[:1] in ("#", "%"):
            return _Piece(None)
        default = re.sub(r"^:?-", "", default)
        if word is None or name in self.unsure or word.values is None:
            told = word is not None and ((word.local and name not in self.unsure) or self._counts(name))
            return _Piece(None, local=told)
        values = tuple(dict.fromkeys((*word.values, *([default] if default else []))))
        if inside:
            return _Piece(tuple(map(_kept, values)) if not word.glob else values)
        if any(re.search(r"\s", value) for value in values):
            return _Piece(None)
        return _Piece(values)


def _kept(text: str) -> str:
    """Quoted text: nothing in it is special any more."""
    for special, safe in _ESCAPED.items():
        text = text.replace(special, safe)
    return text


def at_home(text: str, known: Mapping[str, Word]) -> str:
    if not text.startswith("~"):
        return text
    if re.fullmatch(r"~\w+", text):
        return text  # somebody's home, or nobody's: a place outside either way
    home = known.get("HOME")
    if not re.match(r"~(/|$)", text) or home is None or home.values is None:
        raise StrangeError
    return home.values[0] + text[1:]


def _finished(text: str, *, quoted: bool) -> Word:
    if _SUBSCRIPT.search(text.translate(_PLAIN_AGAIN)):
        raise StrangeError
    glob = re.search(r"[*?]|\[.+\]", text) is not None
    return Word((text.translate(_PLAIN_AGAIN),), glob=glob, quoted=quoted)


def _braces(text: str, left: list[int]) -> Iterable[str]:
    """What braces stand for; `left` counts down how much may come of it. Raises `StrangeError`."""
    left[0] -= 1
    if left[0] < 0:
        raise StrangeError
    found = re.search(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}", text)
    if found is None:
        return [text]
    before, after = text[: found.start()], text[found.end() :]
    if COMMA in found[1]:
        parts = found[1].split(COMMA)
    elif span := re.fullmatch(r"(-?\d{1,4})\.\.(-?\d{1,4})", found[1]):
        low, high = sorted((int(span[1]), int(span[2])))
        parts = [str(number) for number in range(low, high + 1)]
    elif ".." in found[1]:
        raise StrangeError
    else:
        parts = ["{" + found[1] + "}"]
    if len(parts) > _MOST_VALUES:
        raise StrangeError
    return [text for part in parts for text in _braces(before + part + after, left)]
