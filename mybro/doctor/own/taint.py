"""Where a visitor's text goes, within one function of Python: from the request to what must not get it.

No engine that runs here follows values. This does so from assignment to assignment in the order of the lines,
through text operations; a call that checks or converts ends the way. It does not look into other functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit, any_in
from mybro.doctor.own.sinks import (
    ANCHOR,
    ANY_SINK,
    FILLS,
    SAFE_CALLS,
    SINK_WORDS,
    SINKS,
    TEXT_CALLS,
    Sink,
    is_plain_program,
    parts,
)
from mybro.doctor.own.tests import syntax
from mybro.doctor.own.visitors import ASKED, functions, is_injected, is_routed, is_source, rejects
from mybro.ops.trees import nodes

FRAMEWORKS = (
    b"flask",
    b"django",
    b"fastapi",
    b"starlette",
    b"tornado",
    b"aiohttp",
    b"bottle",
    b"sanic",
    b"quart",
    b"falcon",
    b"pyramid",
    b"cherrypy",
    b"litestar",
    b"webob",
)

_PERHAPS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match)
_VISITOR = re.compile(rb"req|websocket|argument")
"""Every request's name has one of these, and so has every function that takes something from one."""


class _Function:
    """One function's walk."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef, content: Content, routed: bool) -> None:
        self.content = content
        self.tainted: set[str] = set()
        self.uploads: set[str] = set()
        """Parameters that hold a file a visitor sent: he chose its name."""
        self.unsure: set[str] = set()
        """Tainted names whose text went through a call that nobody here knows: it may have checked it."""
        self.anchored: set[str] = set()
        """Addresses whose host the program chose."""
        self._doubt = False
        self._branch = 0
        # What a Flask or Bottle function returns is HTML unless it says otherwise.
        self._html = any_in(content.data, (b"import flask", b"from flask", b"from bottle", b"import bottle"))
        self.hits: list[Hit] = []
        if routed:
            plain = {"self", "cls", "request", "req", "db", "session"}
            for arg in (*node.args.args, *node.args.kwonlyargs):
                kind = ast.unparse(arg.annotation) if arg.annotation else ""
                if kind.rpartition(".")[2].partition(" ")[0] == "UploadFile":
                    self.uploads.add(arg.arg)
                if arg.arg not in plain and kind in ("", "str", "bytes") and not is_injected(node, arg):
                    self.tainted.add(arg.arg)

    def walk(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _fresh(self, node: ast.expr | None) -> bool:
        self._doubt = False
        return self.is_tainted(node)

    def _statement(self, node: ast.stmt) -> None:  # noqa: C901 (one case a kind of statement)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return
        for expression in _own_expressions(node):
            self._look(expression)
        match node:
            case ast.Assign(targets=targets, value=value):
                anchored = self._is_anchored(value)
                for target in targets:
                    if isinstance(target, ast.Name):
                        (self.anchored.add if anchored else self.anchored.discard)(target.id)
                    self._bind(target, self._fresh(value))
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._bind(target, self._fresh(value))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                if self.is_tainted(value):
                    self.tainted.add(name)
            case ast.For(target=target, iter=source) | ast.AsyncFor(target=target, iter=source):
                self._bind(target, self._fresh(source))
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, self._fresh(item.context_expr))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=way), args=args)):
                if way in FILLS and any(map(self._fresh, args)):
                    self.tainted.add(name)
            case ast.Return(value=value) if value is not None and self._html and not _plain_value(value):
                if self._fresh(value) and not self._doubt:
                    line, anchor = node.lineno, ast.unparse(node)[:120]
                    message = "a visitor's text is sent back as HTML"
                    path = self.content.file.path
                    self.hits.append(Hit(path, line, message, rule="SEC20", severity="medium", anchor=anchor))
            case ast.If(test=test, body=body) if rejects(test, body):
                for name in _names(test):
                    self.tainted.discard(name)
        self._inside(node)

    def _inside(self, node: ast.stmt) -> None:
        """The statements in this one; what only happens on one way takes nothing back."""
        perhaps = isinstance(node, _PERHAPS)
        self._branch += perhaps
        for inner in ("body", "orelse", "finalbody"):
            self.walk(getattr(node, inner, []))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self._branch += 1
            self.walk(part.body)
            self._branch -= 1
        self._branch -= perhaps

    def _bind(self, target: ast.expr, tainted: bool) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._bind(item, tainted)
        elif isinstance(target, ast.Name):
            if not tainted and self._branch:
                return  # on the other way it is still what it was
            (self.tainted.add if tainted else self.tainted.discard)(target.id)
            (self.unsure.add if tainted and self._doubt else self.unsure.discard)(target.id)
        elif (
            isinstance(target, ast.Subscript | ast.Attribute)
            and tainted
            and isinstance(target.value, ast.Name)
        ):
            self.tainted.add(target.value.id)

    def is_tainted(self, node: ast.expr | None) -> bool:  # noqa: C901 (one case a kind of node)
        """Whether the value has something of the visitor's in it."""
        match node:
            case ast.Name(id=name):
                self._doubt = self._doubt or name in self.unsure
                return name in self.tainted
            case ast.Attribute() | ast.Subscript():
                if is_source(node) or self._is_upload_name(node):
                    return True
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr in ("filename", "name")
                    and not self.is_tainted(node.value)
                ):
                    return False
                return self.is_tainted(node.value)
            case ast.Call(func=func, args=args, keywords=keywords):
                if is_source(node):
                    return True
                name = ast.unparse(func)
                if SAFE_CALLS.search(name):
                    return False
                inner = any(map(self.is_tainted, args)) or any(self.is_tainted(k.value) for k in keywords)
                self._doubt = self._doubt or (inner and not TEXT_CALLS.search(name))
                return inner or (isinstance(func, ast.Attribute) and self.is_tainted(func.value))
            case ast.JoinedStr(values=values):
                return any(self.is_tainted(v.value) for v in values if isinstance(v, ast.FormattedValue))
            case ast.BinOp(left=left, right=right):
                return self.is_tainted(left) or self.is_tainted(right)
            case ast.BoolOp(values=values):
                return any(map(self.is_tainted, values))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_tainted(body) or self.is_tainted(orelse)
            case ast.Await(value=value) | ast.Starred(value=value) | ast.NamedExpr(value=value):
                return self.is_tainted(value)
            case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
                return any(map(self.is_tainted, elts))
            case ast.Dict(values=values):
                return any(map(self.is_tainted, values))
            case (
                ast.ListComp(elt=elt, generators=generators)
                | ast.GeneratorExp(elt=elt, generators=generators)
            ):
                return self.is_tainted(elt) or any(self.is_tainted(g.iter) for g in generators)
        return False

    def _is_anchored(self, node: ast.expr) -> bool:
        """Whether an address begins with the program's own host or path, and the visitor adds to it."""
        if isinstance(node, ast.Name):
            return node.id in self.anchored
        before = ""
        for part in parts(node):
            if isinstance(part, ast.Constant):
                before += str(part.value)
            elif self.is_tainted(part):
                return ANCHOR.search(before) is not None
            else:
                before += "x"
        return False

    def _is_upload_name(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and node.attr == "filename"
            and isinstance(node.value, ast.Name)
            and node.value.id in self.uploads
        )

    def _look(self, expression: ast.expr) -> None:
        """Every call in the expression against the sinks."""
        for node in nodes(expression):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                for sink in SINKS if ANY_SINK.search(name) else ():
                    self._doubt = False
                    if sink.name.search(name) and self._reaches(sink, node):
                        self._tell(sink, node)
                        break

    def _reaches(self, sink: Sink, node: ast.Call) -> bool:
        if sink.receiver and isinstance(node.func, ast.Attribute) and self.is_tainted(node.func.value):
            return True
        if sink.unless is not None and sink.unless.search(ast.unparse(node)):
            return False
        wanted = [a for number, a in enumerate(node.args) if sink.places is None or number in sink.places]
        wanted += [
            k.value
            for k in node.keywords
            if k.arg in sink.keywords or (sink.places is None and k.arg is None)
        ]
        if sink.check == "SEC07" and is_plain_program(node):
            return False
        if sink.check == "SEC26":
            wanted = [value for value in wanted if not self._is_anchored(value)]
        return any(map(self.is_tainted, wanted)) and not (sink.text_only and all(map(_plain_value, wanted)))

    def _tell(self, sink: Sink, node: ast.AST) -> None:
        line = getattr(node, "lineno", 0)
        self.hits.append(
            Hit(
                self.content.file.path,
                line,
                sink.message,
                rule=sink.check,
                severity=("low" if sink.check == "SEC26" else "medium") if self._doubt else None,
                anchor=ast.unparse(node)[:120],
            )
        )


def _plain_value(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple | ast.List | ast.Dict)


def _own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of statements inside of it."""
    for field in ast.iter_child_nodes(node):
        if isinstance(field, ast.expr):
            yield field
        elif isinstance(field, ast.withitem):
            yield field.context_expr


def _names(node: ast.expr) -> set[str]:
    return {n.id for n in nodes(node) if isinstance(n, ast.Name)}


def taint(content: Content) -> Iterator[Hit]:
    """A visitor's text in commands, queries, paths, pages and addresses."""
    data = content.data
    if content.file.is_test or not any_in(
        data, (b"request", b"get_argument", b"@app.", b"@router.", b"@bp.")
    ):
        return
    if not any_in(data, FRAMEWORKS) or not ASKED.search(data) or not any_in(data, SINK_WORDS):
        return
    asks = b"fastapi" in data or b"litestar" in data
    tree = syntax(data)
    lines = data.splitlines()
    for node in functions(tree.body if tree else []):
        routed = is_routed(node, asks=asks)
        if not routed and not _VISITOR.search(b"\n".join(lines[node.lineno - 1 : node.end_lineno])):
            continue
        function = _Function(node, content, routed)
        function.walk(node.body)
        yield from dict.fromkeys(function.hits)
