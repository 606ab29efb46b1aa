"""What rope is asked: where a Python symbol is defined, and what renaming it changes."""

from __future__ import annotations

import ast
import codecs
import re
import tokenize
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.checkpoint.entry import Limits
from mybro.ops.syntax import parse


@dataclass(frozen=True, slots=True)
class Definition:
    """One symbol, by the place where it first gets its name."""

    path: str
    offset: int
    """Characters from the start of the file."""
    scope: tuple[str, ...]
    """The classes and functions around it."""
    local: bool
    """Whether it is seen only inside one function: a variable or parameter."""

    @property
    def place(self) -> str:
        """Where it is, as one says it: "Parser in dates.py", "dates.py"."""
        file = self.path.rsplit("/", 1)[-1]
        return f"{'.'.join(self.scope)} in {file}" if self.scope else file


def definitions(sources: Mapping[str, str], name: str) -> list[Definition]:
    """Every distinct symbol of this name. Files that do not parse are passed over."""
    found: list[Definition] = []
    for path, text in sources.items():
        if name not in text or not path.endswith(".py"):
            continue
        plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
        try:
            tree = parse(plain)
        except (SyntaxError, ValueError, RecursionError):
            continue
        starts = _line_starts(plain)
        seen: set[tuple[str, ...]] = set()
        for line, column, scope, local in _names(tree, name, (), inside_function=False):
            if scope not in seen:
                seen.add(scope)
                offset = _offset(plain, starts, line, column, name)
                if offset is not None:
                    found.append(Definition(path, offset, scope, local))
    return found


def prefer_visible(found: list[Definition]) -> list[Definition]:
    """Where functions, classes, methods or globals have the name, leave out mere local variables."""
    return [definition for definition in found if not definition.local] or found


class Refactoring:
    """rope's view of a project; leaves nothing in the repository."""

    def __init__(self, repo: Path) -> None:
        from rope.base.project import Project
        from rope.base.taskhandle import TaskHandle

        limits = Limits()
        left_out = [".git", "*.pyc", "*~", *limits.folders, *limits.plain_folders]
        self._repo = repo
        self._handle = TaskHandle("rename")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._project = Project(
                str(repo), ropefolder=None, ignored_resources=left_out, save_objectdb=False,
                ignore_syntax_errors=True, ignore_bad_imports=True,
            )  # fmt: skip

    def stop(self) -> None:
        """Have a running `edits` end soon, with an error."""
        self._handle.stop()

    def close(self) -> None:
        self._project.close()

    def edits(self, chosen: list[Definition], old: str, new: str) -> dict[str, bytes]:
        """The files' new contents, by path. Nothing is written. Raises `ExecutorError`."""
        from rope.base.exceptions import RopeError

        places: dict[str, set[int]] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for definition in chosen:
                    self._rename(definition, old, new, places)
        except RopeError as error:
            raise ExecutorError("rename_refused", f"that cannot be renamed: {error}") from error
        except (SyntaxError, RecursionError, UnicodeError, AttributeError, TypeError) as error:
            raise ExecutorError("needs_agent", f"rope cannot rename this: {type(error).__name__}") from error
        edits = {path: self._edited(path, offsets, old, new) for path, offsets in places.items() if offsets}
        for path, data in edits.items():
            _check(path, data)
        return edits

    def _rename(self, definition: Definition, old: str, new: str, places: dict[str, set[int]]) -> None:
        """Add the offsets that renaming one symbol changes."""
        from rope.refactor.rename import Rename

        resource = self._project.get_resource(definition.path)
        change = Rename(self._project, resource, definition.offset).get_changes(
            new, docs=False, task_handle=self._handle
        )
        for part in change.changes:
            text = getattr(part, "new_contents", None)
            if text is None:
                raise ExecutorError("needs_agent", "renaming a module moves files")
            found = _replaced(part.resource.read(), text, old, new)
            places.setdefault(part.resource.path, set()).update(found)

    def _edited(self, path: str, offsets: set[int], old: str, new: str) -> bytes:
        text = self._project.get_resource(path).read()
        for offset in sorted(offsets, reverse=True):
            text = text[:offset] + new + text[offset + len(old) :]
        return _encoded((self._repo / path).read_bytes(), text)


def _replaced(before: str, after: str, old: str, new: str) -> set[int]:
    """Where in `before` a whole word `old` has become `new` in `after`."""
    found: set[int] = set()
    shift = 0
    for match in re.finditer(rf"\b{re.escape(old)}\b", before):
        if re.compile(rf"{re.escape(new)}\b").match(after, match.start() + shift):
            found.add(match.start())
            shift += len(new) - len(old)
    return found


def _encoded(old: bytes, text: str) -> bytes:
    """The text with the line ends, mark and encoding of the file it replaces."""
    encoding, _ = tokenize.detect_encoding(BytesIO(old).readline)
    mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if b"\r\n" in old:
        text = text.replace("\n", "\r\n")
    return mark + text.encode("utf-8" if encoding == "utf-8-sig" else encoding)


def _check(path: str, data: bytes) -> None:
    try:
        parse(data)
    except (SyntaxError, ValueError) as error:
        raise ExecutorError("needs_agent", f"the renamed {path} would not parse") from error


def _names(
    node: ast.AST, name: str, scope: tuple[str, ...], *, inside_function: bool
) -> Iterator[tuple[int, int, tuple[str, ...], bool]]:
    """Line, column, scope and whether local, of each place that binds the name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if child.name == name:
                yield child.lineno, child.col_offset, scope, inside_function
            is_function = not isinstance(child, ast.ClassDef)
            yield from _names(child, name, (*scope, child.name), inside_function=is_function)
            continue
        if isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Store):
            yield child.lineno, child.col_offset, scope, inside_function
        elif isinstance(child, ast.arg) and child.arg == name:
            yield child.lineno, child.col_offset, scope, True
        elif isinstance(child, ast.Attribute) and child.attr == name and isinstance(child.ctx, ast.Store):
            # self.name = ...: belongs to the class around the method
            yield child.end_lineno or child.lineno, -1, scope[:-1], False
        yield from _names(child, name, scope, inside_function=inside_function)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _offset(text: str, starts: list[int], line: int, column: int, name: str) -> int | None:
    """Where the name itself begins: after `def`, `class` or a dot. Columns are in UTF-8 bytes."""
    begin, end = starts[line - 1], starts[line] if line < len(starts) else len(text)
    row = text[begin:end]
    start = len(row.encode()[: max(column, 0)].decode(errors="ignore"))
    where = row.rfind(f".{name}") + 1 if column < 0 else row.find(name, start)
    while where > 0 and column >= 0 and row[where - 1 : where].isidentifier():
        where = row.find(name, where + 1)
    return begin + where if where >= (1 if column < 0 else 0) else None
