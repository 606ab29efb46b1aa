"""Python programs of which enough is understood: they compute, print, and read files of the repository.

What a program could do enters by its modules and a few built-in functions. So these are lists of what is
harmless; names that lead out of a module into another are doors, and attributes that cannot be told are too.
Modules of the repository are read in turn.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.python_names import (
    BUILTINS,
    DUNDERS,
    FRAMEWORKS,
    HIDDEN,
    MODULES,
    MOST,
    OS,
    RISKY_BUILTINS,
    SYS,
    is_door,
    plain,
)
from mybro.executor.claude.gate.words import Word
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
        return _Program(self, nodes).is_calm()

    def module(self, name: str) -> str:
        """Where a module is found: "calm" or "risky" in the repository, "known", "package" or "strange"."""
        if (found := self._local(name)) is not None:
            return "calm" if found else "risky"
        top = name.partition(".")[0]
        if name in MODULES:
            return "known"
        if top in sys.stdlib_module_names or top.startswith("_"):
            return "strange"
        return "known" if top in FRAMEWORKS else "package"

    def _local(self, name: str) -> bool | None:
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


class _Program:
    """One file or line."""

    def __init__(self, programs: _Programs, nodes: list[ast.AST]) -> None:
        self.programs, self.nodes = programs, nodes
        self.calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
        self.based = {id(node.value): node for node in nodes if isinstance(node, ast.Attribute)}
        self.made = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        self.made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
        self.made |= {
            n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        self.made |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
        self.imported: dict[str, str] = {}
        """What names stand for, of modules that are only asked for their version."""
        self.names: dict[str, str] = {}
        """Modules by the names that they have here."""

    def is_calm(self) -> bool:
        if self.made & RISKY_BUILTINS:  # which of the two is meant is not told
            return False
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom) and not self._imports(node):
                return False
        reads = any(
            (isinstance(n, ast.Name) and n.id in ("open", "Path", "glob", "iglob", "fileinput"))
            or (
                isinstance(n, ast.Attribute)
                and n.attr in ("Path", "glob", "rglob", "listdir", "walk", "scandir")
            )
            for n in self.nodes
        )
        return all(self._calm(node, reads=reads) for node in self.nodes)

    def _imports(self, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.ImportFrom):
            if node.level:
                return False
            module = node.module or ""
            kind = self.programs.module(module)
            if kind in ("risky", "strange") or any(alias.name == "*" for alias in node.names):
                return False
            told = {"os": OS, "sys": SYS, "pathlib": frozenset({"Path", "PurePath"})}.get(module)
            if told is not None and not all(one.name in told and not one.asname for one in node.names):
                return False
            for alias in node.names:
                if is_door(alias.name) or (alias.name.startswith("_") and module != "__future__"):
                    return False
                if kind == "calm" and self.programs._local(f"{module}.{alias.name}") is False:
                    return False
                if kind == "package":
                    self.imported[alias.asname or alias.name] = module
                self.made.add(alias.asname or alias.name)
            return True
        for alias in node.names:
            kind = self.programs.module(alias.name)
            if kind in ("risky", "strange"):
                return False
            name = alias.asname or alias.name.partition(".")[0]
            if kind == "package":
                self.imported[name] = alias.name
            self.names[name] = alias.name if alias.asname else name
            self.made.add(name)
        return True

    def _calm(self, node: ast.AST, *, reads: bool) -> bool:
        match node:
            case ast.Name(id="open"):
                return self._opens(node)
            case ast.Name(id=name) if name in self.imported:
                return self._asked_for_version(node)
            case ast.Name(id=name) if self.names.get(name) in ("os", "sys", "importlib", "urllib", "pytest"):
                return isinstance(node.ctx, ast.Load) and id(node) in self.based and self._inner(node)
            case ast.Name(id="Path"):
                return self._path(node)
            case ast.Name(id=name):
                return name in BUILTINS or (name in self.made and not name.startswith("__"))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Constant(value=str(text)):
                return not HIDDEN.search(text) and (not reads or self._place(text))
            case ast.AnnAssign(annotation=ast.AST() as told) | ast.arg(annotation=ast.AST() as told):
                return plain(told)
            case ast.keyword(arg=name):
                return name is None or not re.fullmatch(r"filename|metaclass|filemode", name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                return (not name.startswith("__") or name in DUNDERS) and (
                    not node.returns or plain(node.returns)
                )
            case ast.Global() | ast.Nonlocal() | ast.Delete():
                return self.programs.whole
        return True

    def _inner(self, node: ast.Name) -> bool:
        """`os.X`, `sys.X`: what of them is harmless."""
        attribute = self.based[id(node)]
        module = self.names.get(node.id)
        if module == "pytest":
            return attribute.attr != "main"
        if module in ("importlib", "urllib"):
            return attribute.attr in ("metadata", "parse")
        if module == "os":
            return attribute.attr in OS
        if attribute.attr.startswith("_"):
            return False
        if attribute.attr == "path":  # it decides what is imported
            return not self.imported and self._shown(attribute)
        return True

    def _shown(self, node: ast.AST) -> bool:
        return any(
            isinstance(n, ast.Call)
            and node in n.args
            and getattr(n.func, "id", getattr(n.func, "attr", "")) in ("print", "join", "len")
            for n in self.nodes
        ) or any(isinstance(n, ast.For) and n.iter is node for n in self.nodes)

    def _attribute(self, node: ast.Attribute) -> bool:
        name = node.attr
        if name.startswith("_"):
            return name in ("__version__", "__name__", "__doc__", "__file__", "__init__") or (
                self.programs.whole and not name.startswith("__")
            )
        if name == "replace":  # a path's takes one
            call = self.calls.get(id(node))
            return call is not None and len(call.args) >= 2
        if name == "dump" and self.names.get(getattr(node.value, "id", "")) in ("ast", "json"):
            return True  # into a file only where one could be opened to write
        if name == "Path":
            return self._path(node)
        return not is_door(name)

    def _opens(self, node: ast.AST) -> bool:
        """open(NAME) and open(NAME, "r")."""
        call = self.calls.get(id(node))
        if call is None or not call.args or not isinstance(call.args[0], ast.Constant):
            return False
        modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
        named = all(word.arg in ("mode", "encoding", "errors", "newline") for word in call.keywords)
        return (
            named
            and len(call.args) <= 2
            and all(isinstance(mode, ast.Constant) and mode.value in ("r", "rb", "rt") for mode in modes)
        )

    def _path(self, node: ast.AST) -> bool:
        call = self.calls.get(id(node))
        return call is not None and all(
            isinstance(word, ast.Constant) or getattr(word, "id", "") == "__file__" for word in call.args
        )

    def _place(self, text: str) -> bool:
        """A text where files are read: it must not name what may not be."""
        if self.programs.place is None:
            return False
        if re.fullmatch(r"(\*\*/)?\*(\.\w+)?", text):
            return text not in ("*", "**/*") or not self._contents()
        return "\n" in text or len(text) > 200 or self.programs.place.reads(Word((text,), glob="*" in text))

    def _contents(self) -> bool:
        return any(isinstance(n, ast.Attribute) and n.attr.startswith("read") for n in self.nodes)

    def _asked_for_version(self, node: ast.Name) -> bool:
        """A package that nobody here knows: imported, and asked for no more than its version or place."""
        above = self.based.get(id(node))
        if above is not None:
            return above.attr in ("__version__", "__file__", "__name__", "version", "VERSION")
        return any(
            isinstance(n, ast.Call) and node in n.args and getattr(n.func, "id", "") == "print"
            for n in self.nodes
        )
