"""A strict reader of shell scripts: what it takes apart means the same to a shell, what it cannot it refuses.

Control flow is flattened: every simple command within is given once, for what matters is what could run.
Functions, aliases, arrays, `case`, arithmetic commands and extended globs are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from mybro.executor.claude.gate.documents import delimiter, document, literally
from mybro.executor.claude.gate.standing import Chain
from mybro.executor.claude.gate.words import META, Command, StrangeError, Word, WordReader, at_home

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNED = re.compile(
    r"(?<![\w$])([A-Za-z_]\w*)\+?=|\bfor\s+([A-Za-z_]\w*)|\bread\s+((?:-\w+\s+)*[A-Za-z_]\w*)"
)
_SKIPPED = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"})
_ENDS = frozenset({"fi", "done", "}"})
_REFUSED = frozenset({"case", "esac", "function", "select", "coproc", "in"})
_REDIRECTION = re.compile(r"(\d*)(<<<|<<-|<<|<>|>>|>\||>&|<&|<|>)|(&>>|&>)")
LONGEST, _MOST_VARIABLES = 20_000, 500
Producers = Callable[[list[Command]], bool]
PIPED = "/dev/fd/63"
"""In place of `<(command)`."""
ENTER, LEAVE, BREAK = "\ue010", "\ue011", "\ue013"
"""In place of a program: a shell of its own begins and ends here, a chain of `&&` after a `cd` ends here."""
MARKS = frozenset({ENTER, LEAVE, BREAK})


def read(script: str, variables: Mapping[str, str], producers: Producers) -> list[Command]:
    """Every simple command of a script. Raises `StrangeError`.

    `variables` are known from outside; `producers` says whether commands print names from the work tree.
    """
    crowded = len(script) > LONGEST or script.count("$") > _MOST_VARIABLES
    if crowded or re.search(r"[\0\r\x0b\x0c\ue000-\ue0ff]", script):
        raise StrangeError
    names = Counter(next(filter(None, found.groups())).split()[-1] for found in _ASSIGNED.finditer(script))
    reader = _Reader(script, dict.fromkeys((n for n, times in names.items() if times > 1), None), producers)
    reader.known = {name: Word((value,)) for name, value in variables.items() if name not in names}
    reader.script()
    if reader.at < len(script):
        raise StrangeError
    return reader.found


class _Reader(WordReader):
    def __init__(self, text: str, unsure: Mapping[str, None], producers: Producers, depth: int = 0) -> None:
        super().__init__(text, unsure, producers, depth)
        self.pending: list[tuple[Command, str, bool, bool]] = []
        self.nesting = 0
        """How many loops and conditions are open."""
        self.filled: dict[int, str] = {}
        """The variable that a loop reads, by how many were open then."""

    # ------------------------------------------------------------------------ commands

    def script(self, *, inside: bool = False) -> None:
        """Commands up to the end, or to the bracket that closes."""
        upstream: tuple[str, ...] = ()
        feeding: tuple[Command, ...] = ()
        certain, chain = True, Chain()
        while True:
            self.blanks()
            if self.at >= len(self.text):
                if self.pending or inside:
                    raise StrangeError
                return
            char = self.text[self.at]
            if char == ")":
                if not inside or self.pending:
                    raise StrangeError
                self.at += 1
                return
            if self.text.startswith(";;", self.at):
                raise StrangeError
            if char in "\n;&|" and not self.text.startswith("&>", self.at):
                operator = self._operator()
                upstream = upstream if operator in ("|", "|&") else ()
                certain = operator in ("\n", ";", "&")
                if not chain.goes_on(operator):
                    self.found.append(Command([Word((BREAK,))]))
            else:
                begun, start = len(self.found), self.at
                self._command(upstream)
                feeding = feeding if upstream else ()
                for command in self.found[begun:]:
                    command.feeding = feeding + command.feeding
                feeding += tuple(self.found[begun:])
                self._remember(begun, certain=certain and not upstream)
                names = [command.words[0].text or "?" for command in self.found[begun:] if command.words]
                upstream += tuple(name for name in names if name not in MARKS)
                if len(self.found) == begun + 1:
                    chain.holds(names, self.found[begun], self.text[start:].split(maxsplit=1)[0])

    def _operator(self) -> str:
        """What stands between two commands."""
        two = self.text[self.at : self.at + 2]
        operator = two if two in ("&&", "||", "|&") else two[0]
        self.at += len(operator)
        if operator == "\n":
            self._documents()
        return operator

    def _remember(self, begun: int, *, certain: bool) -> None:
        """Keep what was assigned; where it may not have been, the value is not known."""
        self.blanks()
        apart = re.match(r"\|(?!\|)|&(?!&)", self.text[self.at : self.at + 2])
        for command in self.found[begun:]:
            self._read(command)
            for name, word in command.assigned:
                sure = certain and not command.words and not apart and not self.nesting
                self.known[name] = word if sure else Word(None)

    def _read(self, command: Command) -> None:
        """`ls | while read -r name`: until the loop's end it is a name from the work tree."""
        words = [word.text or "?" for word in command.words if word.text != "-r"]
        if len(words) == 2 and words[0] == "read" and re.fullmatch(r"[a-z]\w*", words[1]) and self.nesting:
            local = bool(command.feeding) and self.producers(list(command.feeding))
            self.known[words[1]] = Word(None, local=local)
            self.filled[self.nesting] = words[1]

    def _command(self, upstream: tuple[str, ...]) -> None:
        command = Command(upstream=upstream)
        while True:
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] in "\n;|)":
                break
            if redirection := _REDIRECTION.match(self.text, self.at):
                if self.text[redirection.end() - 1 :][:2] in ("<(", ">("):
                    if not self.text.startswith("<(", self.at):
                        raise StrangeError
                    self.at += 2
                    self._inner(upstream=())
                    command.words.append(Word((PIPED,)))
                    continue
                self._redirection(command, redirection)
                continue
            if self.text[self.at] == "&":
                break
            if self.text[self.at] == "(":
                if command.words or command.assigned or self.text.startswith("((", self.at):
                    raise StrangeError
                self.at += 1
                self._inner(upstream)
                command.words.append(Word((":",)))
                continue
            if self._word(command):
                return
        if command.words or command.assigned or command.redirected:
            command.repeated = self.nesting > 0
            self.found.append(command)

    def _inner(self, upstream: tuple[str, ...]) -> list[Command]:
        """Commands between brackets, from after the first to after the last."""
        if self.pending:
            raise StrangeError
        reader = _Reader(self.text, self.unsure, self.producers, self.depth + 1)
        reader.at, reader.known, reader.whole = self.at, dict(self.known), self.whole
        reader.script(inside=True)
        self.at = reader.at
        for command in reader.found:
            command.upstream = upstream + command.upstream
        self._apart(reader.found)
        return reader.found

    def commands_inside(self, script: str | None) -> list[Command]:
        if self.pending:
            raise StrangeError
        if script is None:
            return self._inner(())
        reader = _Reader(script, self.unsure, self.producers, self.depth + 1)
        reader.known, reader.whole = dict(self.known), self.whole
        reader.script()
        self._apart(reader.found)
        return reader.found

    def _apart(self, commands: list[Command]) -> None:
        """Take over commands that run in a shell of their own."""
        self.found += [Command([Word((ENTER,))]), *commands, Command([Word((LEAVE,))])]

    def _word(self, command: Command) -> bool:
        """Take one word; whether it was a reserved one after which another command begins."""
        start = self.at
        words = self.expand()
        raw = self.text[start : self.at]
        if self.text[self.at : self.at + 1] == "(":
            raise StrangeError  # a function, an array, an extended glob
        if command.words:
            command.words += words
            return False
        if not command.assigned:
            if raw in _REFUSED or raw.startswith(("[[[", "((")):
                raise StrangeError
            if raw in _SKIPPED:
                self.nesting += raw in ("if", "while", "until")
                self._command(command.upstream)
                return True
            if raw in _ENDS:
                if (name := self.filled.pop(self.nesting, None)) and raw == "done":
                    self.known[name] = Word(None)
                self.nesting -= raw != "}"
                command.words.append(Word((":",)))
                return False
            if raw == "for":
                self.nesting += 1
                self._for()
                return True
        found = re.match(r"([A-Za-z_]\w*)(\+?)=", raw)
        if found is None:
            command.words += words
        elif len(words) != 1 or found[2]:
            raise StrangeError
        else:
            name, word = found[1], words[0]
            values = word.values and tuple(at_home(v.partition("=")[2], self.known) for v in word.values)
            word = replace(word, values=values, quoted=False)
            command.assigned.append((name, word))
        return False

    def _for(self) -> None:
        self.blanks()
        name = _NAME.match(self.text, self.at)
        if name is None:
            raise StrangeError
        self.at = name.end()
        self.blanks()
        if not re.match(r"in\s", self.text[self.at :]):
            raise StrangeError
        self.at += 2
        words: list[Word] = []
        while True:
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] in "\n;":
                break
            if self.text[self.at] in META:
                raise StrangeError
            words += self.expand()
        values: list[str] | None = []
        for word in words:
            values = None if values is None or word.values is None else [*values, *word.values]
        local = all(word.local or (word.values is not None) for word in words)
        self.known[name[0]] = Word(
            tuple(values) if values is not None else None,
            glob=any(w.glob for w in words),
            local=local and values is None,
        )

    # ------------------------------------------------------------------------ redirections

    def _redirection(self, command: Command, found: re.Match[str]) -> None:
        self.at, kind = found.end(), found[2] or found[3]
        self.blanks(comments=False)
        if kind in ("<<", "<<-"):
            word, quoted, self.at = delimiter(self.text, self.at)
            self.pending.append((command, word, quoted, kind == "<<-"))
            return
        words = self.expand()
        if len(words) != 1 or kind == "<>":
            raise StrangeError
        if kind == "<<<":
            command.document = words[0].text or ""
            return
        if kind in (">&", "<&"):
            if re.fullmatch(r"\d+-?|-", words[0].text or ""):
                return
            kind = ">"
        command.redirected.append(
            (">" if kind in ("&>", ">|") else ">>" if kind == "&>>" else kind, words[0])
        )

    def _documents(self) -> None:
        for command, end, quoted, tabs in self.pending:
            body, self.at = document(self.text, self.at, end, tabs=tabs)
            command.document = literally(body, quoted=quoted)
        self.pending = []
