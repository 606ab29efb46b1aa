"""What a visitor can have written: parts of requests, parameters of routes; and what ends the doubt."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mybro.doctor.own.sinks import ATTRIBUTES

_REQUEST = re.compile(r"^(?:flask\.|self\.|bottle\.)?(?:request|req|websocket|_request|flask_request)$")
REQUEST = re.compile(
    rb"req(?:uest)?\.(?:args|form|values|files|cookies|headers|json|data|query|GET|POST|COOKIES|FILES|META|body|get_|"
    rb"match_info|rel_url|path|params|stream|url|forms)"
)
ROUTE = re.compile(rb"@\w+\.(?:route|get|post|put|delete|patch)\(")
ASKED = re.compile(rb"%b|get_argument|%b" % (REQUEST.pattern, ROUTE.pattern))
"""One of them is in every file that takes something from a visitor."""
_STEPS = (ast.Subscript, ast.Call, ast.Await)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ROUTE = re.compile(r"^\w+\.(?:get|post|put|delete|patch|websocket|api_route)\(\s*[frb]*['\"]/")
_ROUTE_WITH_PARTS = re.compile(r"(?:^|\.)(?:route|get|post|put|delete|patch|websocket)\(\s*[frb]*['\"].*[<{]")


def rejects(test: ast.expr, body: list[ast.stmt]) -> bool:
    """`if value not in ALLOWED: return` and its like: what comes after was checked."""
    ends = bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)
    text = ast.unparse(test)
    # Only a comparison with a fixed set or a full match is a check; a search for a bad word is none.
    return (
        ends
        and re.search(
            r" not in [A-Z_]{3,}| not in [\(\[{]|not re\.fullmatch|is_relative_to|\.isalnum|\.isdigit|"
            r"\.isidentifier|commonpath|startswith\(",
            text,
        )
        is not None
    )


def is_injected(node: ast.FunctionDef | ast.AsyncFunctionDef, arg: ast.arg) -> bool:
    """Whether the parameter is injected (Depends(…)) and not taken from the address."""
    named = [*node.args.args][len(node.args.args) - len(node.args.defaults) :]
    for other, default in zip(named, node.args.defaults, strict=True):
        if other is arg:
            return isinstance(default, ast.Call) and "Depends" in ast.unparse(default)
    return False


def is_source(node: ast.expr) -> bool:
    """Whether the expression itself is a part of the request that its sender chose."""
    while isinstance(node, _STEPS):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Attribute):
        return False
    chain: ast.Attribute = node
    while True:
        if chain.attr in ATTRIBUTES and _REQUEST.match(ast.unparse(chain.value)):
            return True
        inner: ast.expr = chain.value
        while isinstance(inner, _STEPS):
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
        if not isinstance(inner, ast.Attribute):
            return (
                chain.attr in ("get_argument", "get_query_argument", "get_body_argument")
                and ast.unparse(inner) == "self"
            )
        chain = inner


def is_routed(node: ast.FunctionDef | ast.AsyncFunctionDef, *, asks: bool) -> bool:
    """Whether a decorator makes the function answer requests, so that its parameters come from the address.

    `asks`: whether the framework also fills parameters that the path does not name, as FastAPI does.
    """
    wanted = _ROUTE if asks else _ROUTE_WITH_PARTS
    return any(wanted.search(ast.unparse(decorator)) for decorator in node.decorator_list)


def functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Those in the statements and in the statements within them; expressions hold none."""
    waiting: list[ast.AST] = [*reversed(body)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            yield node
        for name in ("handlers", "cases", "finalbody", "orelse", "body"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                waiting += reversed(inner)
