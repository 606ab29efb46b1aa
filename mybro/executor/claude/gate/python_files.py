"""What a Python program does with files and servers of this machine, as far as it names them."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import Protocol

from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.sql import only_asks
from mybro.executor.claude.gate.words import Word
from mybro.vocabulary import words as word_lists

CODE = word_lists("effects")["CODE"]


class Modules(Protocol):
    """What a program may import."""

    place: Place | None
    whole: bool

    def module(self, name: str) -> str:
        """How far a module is known."""

    def local(self, name: str) -> bool | None:
        """Whether the repository's module of this name is calm; None where it has none."""


class Files:
    """The part of a program that is about places."""

    programs: Modules
    nodes: list[ast.AST]

    def adds_path(self, node: ast.AST) -> bool:
        """`sys.path.insert(0, "src")`: what is imported is looked for there, too."""
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in (
            "sys.path.insert",
            "sys.path.append",
        ):
            return True
        told = node.args[-1] if node.args else None
        place = self.programs.place
        if (
            place is None
            or not isinstance(told, ast.Constant)
            or not isinstance(told.value, str)
            or node.keywords
        ):
            return False
        if not re.fullmatch(r"[\w./-]*", told.value) or not place.reads(Word((told.value or ".",))):
            return False
        place.paths += [under(folder, told.value) for folder in place.folders]
        return True

    def asks_own(self, call: ast.Call | None) -> bool:
        """A question to a server on this machine."""
        said = ("timeout", "json", "params")
        if call is None or len(call.args) != 1 or any(word.arg not in said for word in call.keywords):
            return False
        told = (
            call.args[0].values[0]
            if isinstance(call.args[0], ast.JoinedStr) and call.args[0].values
            else call.args[0]
        )
        return (
            isinstance(told, ast.Constant)
            and re.match(r"https?://(localhost|127\.0\.0\.1):\d+(/|$|\?)", str(told.value)) is not None
        )

    def reads_named(self, call: ast.Call) -> bool:
        """Whether a call is given nothing but a file of the repository, to read."""
        name = self.named(call.args[0]) if len(call.args) == 1 and not call.keywords else None
        place = self.programs.place
        return name == ":memory:" or (name is not None and place is not None and place.reads(Word((name,))))

    def asks_database(self, call: ast.Call | None) -> bool:
        """Whether a call is given one question to a database, to the letter."""
        told = call.args[0] if call is not None and call.args else None
        return isinstance(told, ast.Constant) and isinstance(told.value, str) and only_asks(told.value)

    def named(self, node: ast.AST) -> str | None:
        """The file that a text, a name for one, or Path("...") names."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            given = [
                n
                for n in self.nodes
                if isinstance(n, ast.Name) and n.id == node.id and not isinstance(n.ctx, ast.Load)
            ]
            found = [
                n.value
                for n in self.nodes
                if isinstance(n, ast.Assign) and len(n.targets) == 1 and n.targets[0] in given
            ]
            return (
                self.named(found[0])
                if len(given) == len(found) == 1 and not isinstance(found[0], ast.Name)
                else None
            )
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Path"
            and len(node.args) == 1
        ):
            return self.named(node.args[0])
        return None

    def rewrites(self, node: ast.AST) -> bool:
        """Whether a file that is written by hand is read first, then written again: an edit."""
        name, place = self.named(node), self.programs.place
        if name is None or place is None or PurePath(name).suffix.lstrip(".") not in CODE:
            return False
        word = Word((name,))
        writes = any(
            isinstance(n, ast.Attribute) and n.attr in ("write", "writelines", "write_text", "dump")
            for n in self.nodes
        )
        first = place.touches(word, append=False) is not None or self._reads_first(name)
        if not (place.changes(word) and writes and first):
            return False
        place.puts(word)
        return True

    def _reads_first(self, name: str) -> bool:
        for node in self.nodes:
            opens = (
                isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open" and len(node.args) == 1
            )
            if opens and self.named(node.args[0]) == name:  # type: ignore[attr-defined]
                return True
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "read_text"
                and self.named(node.value) == name
            ):
                return True
        return False
