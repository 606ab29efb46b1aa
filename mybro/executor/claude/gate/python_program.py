"""One Python program, name by name: whether each leads to nothing but computing, printing and reading."""

from __future__ import annotations

import ast
import re

from mybro.executor.claude.gate.python_files import Files, Modules
from mybro.executor.claude.gate.python_names import (
    BUILTINS,
    DUNDERS,
    HIDDEN,
    OPENERS,
    OS,
    RISKY_BUILTINS,
    SYS,
    is_door,
    plain,
)
from mybro.executor.claude.gate.words import Word

_PARTLY = frozenset(
    {"os", "sys", "importlib", "urllib", "pytest", "unittest", "uvicorn", "sqlite3", "inspect"}
)
"""Modules of which only certain names are harmless."""

_UNDERSCORED = ("__version__", "__name__", "__doc__", "__file__", "__init__", "_asdict", "_fields")
_WRITES_DATABASES = re.compile(r"backup|execute(script|many)|(enable_)?load_extension|blobopen|deserialize")


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


class Program(Files):
    """One file or line."""

    def __init__(self, programs: Modules, nodes: list[ast.AST]) -> None:
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
        self.fetches = any(isinstance(n, ast.alias) and n.name.startswith("urllib.request") for n in nodes)
        self.trees = any(
            isinstance(n, ast.Import | ast.ImportFrom) and "xml" in ast.unparse(n) for n in nodes
        )
        self.names: dict[str, str] = {}
        """Modules by the names that they have here."""

    def is_calm(self) -> bool:
        if self.made & RISKY_BUILTINS:  # which of the two is meant is not told
            return False
        if not all(self.adds_path(node) for node in self.nodes):
            return False
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom) and not self._imports(node):
                return False
        reads = (
            any(
                (isinstance(n, ast.Name) and n.id in ("open", "Path", "glob", "iglob", "fileinput"))
                or (
                    isinstance(n, ast.Attribute)
                    and n.attr in ("Path", "glob", "rglob", "listdir", "walk", "scandir")
                )
                for n in self.nodes
            )
            or self.trees
            or bool({"numpy", "pandas", "sqlite3"} & set(self.names.values()))
        )
        if reads and any(
            isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add) and _text(n.left) and _text(n.right)
            for n in self.nodes
        ):
            return False  # a name in pieces
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
                if kind == "calm" and self.programs.local(f"{module}.{alias.name}") is False:
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
            case ast.Name(id=name) if self.names.get(name) in _PARTLY:
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
                return name is None or not re.fullmatch(r"filename|metaclass|filemode|allow_pickle", name)
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
        call = self.calls.get(id(attribute))
        if module in ("pytest", "unittest"):  # with arguments they run what these name
            return attribute.attr != "main" or (
                module == "unittest" and call is not None and not call.args and not call.keywords
            )
        if module == "uvicorn":
            return attribute.attr == "__version__" or (attribute.attr == "run" and self._serves(call))
        if module == "sqlite3":
            return attribute.attr in ("sqlite_version", "version", "Row") or (
                attribute.attr == "connect" and call is not None and self.reads_named(call)
            )
        if module == "inspect":
            return attribute.attr in ("signature", "getsource", "getdoc", "getfile", "isfunction", "isclass")
        if module in ("importlib", "urllib"):
            return attribute.attr in ("metadata", "parse") or (
                module == "urllib" and attribute.attr in ("request", "error")
            )
        if module == "os":
            return attribute.attr in OS
        if attribute.attr.startswith("_"):
            return False
        if attribute.attr == "path":  # it decides what is imported
            above = self.based.get(id(attribute))
            if above is not None and above.attr in ("insert", "append") and id(above) in self.calls:
                return True  # was judged before anything else
            return not self.imported and self._shown(attribute)
        return True

    def _serves(self, call: ast.Call | None) -> bool:
        """uvicorn.run("src.app:app"): the module that it names is calm, or not there."""
        if call is None or not call.args:
            return False
        told = call.args[0]
        if isinstance(told, ast.Constant):
            return self.programs.local(str(told.value).partition(":")[0]) is not False
        return isinstance(told, ast.Name)

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
            return name in (
                "__version__",
                "__name__",
                "__doc__",
                "__file__",
                "__init__",
                "_asdict",
                "_fields",
            ) or (self.programs.whole and not name.startswith("__"))
        if name == "replace":  # a path's takes one
            call = self.calls.get(id(node))
            return call is not None and len(call.args) >= 2
        if name == "dump" and self.names.get(getattr(node.value, "id", "")) in ("ast", "json"):
            return True  # into a file only where one could be opened to write
        if name == "Path":
            return self._path(node)
        if name == "write_text" and self.rewrites(node.value):
            return True
        if "sqlite3" in self.names.values() and _WRITES_DATABASES.fullmatch(name):
            return False
        if name in ("execute", "cursor") and "sqlite3" in self.names.values():
            return name == "cursor" or self.asks_database(self.calls.get(id(node)))
        if name == "write" and self.trees:
            return False  # a tree writes itself under any name
        if name == "urlopen":
            return self.asks_own(self.calls.get(id(node)))
        return not is_door(name) and not (name in OPENERS and self.fetches)

    def _opens(self, node: ast.AST) -> bool:
        """open(NAME) and open(NAME, "r")."""
        call = self.calls.get(id(node))
        if call is None or not call.args or self.named(call.args[0]) is None:
            return False
        modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
        named = all(word.arg in ("mode", "encoding", "errors", "newline") for word in call.keywords)
        return (
            named
            and len(call.args) <= 2
            and all(
                isinstance(mode, ast.Constant)
                and (mode.value in ("r", "rb", "rt") or (mode.value == "w" and self.rewrites(call.args[0])))
                for mode in modes
            )
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
        if above is not None and self.imported[node.id] in ("requests", "httpx"):
            return above.attr in ("__version__", "__file__") or (
                above.attr in ("get", "post") and self.asks_own(self.calls.get(id(above)))
            )
        if above is not None and above.attr in ("cuda", "backends"):
            return id(self.based.get(id(above))) in self.calls
        if above is not None:
            return above.attr in ("__version__", "__file__", "__name__", "version", "VERSION")
        return any(
            isinstance(n, ast.Call) and node in n.args and getattr(n.func, "id", "") == "print"
            for n in self.nodes
        )
