"""Whether there are tests, and whether they test."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache

import tomlkit

from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.languages import CODE
from mybro.doctor.own.place import Content, Hit, any_in, first_line
from mybro.ops import toml
from mybro.ops.syntax import parse
from mybro.ops.trees import nodes

_LINES_WORTH_TESTING = 30
_DEF = re.compile(rb"def[ \t]+(test\w*)\([^\n]*")
_BEFORE_DEF = re.compile(rb"([ \t]*)(?:async[ \t]+)?\Z")
_OPENS = (b"class", b"def", b"async")
_SCOPE = re.compile(rb"([ \t]*)(class|def|async[ \t]+def)[ \t]+(\w+)")
_FUNCTION = re.compile(rb"(?m)^([ \t]*)(?:async[ \t]+)?def[ \t]+(?!test)(\w+)\(")
_NAMED = (ast.Name, ast.Attribute)
_STATES = (ast.Assert, ast.Raise)
_WORDS_OF_A_CHECK = re.compile(rb"assert|raises|warns|fail")
_NAMES_OF_A_CHECK = re.compile(
    r"(?i)assert|raise|warn|expect|verif|check|fail|should|compare|snapshot|ensure|validat|approx|match|test|bench|run_|skip|"
    r"judge|refuse|reject|until|wait_for|timeout|(?<![a-z])(?:same|equals?|agrees?|run)(?![a-z])"
)
_SAYS_NOTHING_HAPPENS = re.compile(
    rb"no_harm|not_(?:raise|fail|crash|throw)|no_(?:error|crash|exception)s?(?:_|$)|without_(?:an_)?error|smoke"
)
"""In the name of a test for which it is enough that nothing is raised."""
_SKIP = re.compile(
    rb"@(?:pytest\.mark\.)(?:skip|xfail)(?:\(\s*\))?\s*$|(?:pytest\.mark\.|pytest\.)skip\(\s*\)|"
    rb"@unittest\.skip\s*$|@unittest\.skip\(\s*[\"']{2}\s*\)|self\.skipTest\(\s*[\"']{2}\s*\)",
    re.MULTILINE,
)
_SLEEP = re.compile(rb"(?<![\w.])(?:time\.sleep|asyncio\.sleep|sleep)\(\s*(\d*\.?\d+)\s*\)")
_LONG_S, _SAT_OUT_S = 0.2, 30.0
_NEAR_LINES = 15
INITIALISED = re.compile(
    rb"(?m)^class[ \t]+Test\w*[ \t]*(?::|\[|\([ \t]*(?:\)|\*|\w+[ \t]*=))[^\n]*\n"
    rb"(?:(?:[ \t\r\f\v#)\]}'\"][^\n]*)?\n)*?(?: {1,4}|\t)def[ \t]+__init__\b"
)
"""A test class that inherits from nothing, with an __init__ of its own."""


def is_python_test(name: str) -> bool:
    """Whether pytest collects a file of this name."""
    return name.startswith("test_") or name.endswith("_test.py")


def syntax(data: bytes) -> ast.Module | None:
    """The syntax tree; None where this Python does not understand the file. Nothing in it is run."""
    try:
        return parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def no_assertions(content: Content) -> Iterator[Hit]:
    """Test functions in which nothing can be wrong but an exception; only doubtful ones are parsed."""
    if not is_python_test(content.file.name):
        return
    helpers: frozenset[str] | None = None
    for start, text in _doubtful(content.data):
        tree = syntax(textwrap.dedent(text.decode("utf-8", "replace")).encode())
        node = tree.body[0] if tree and tree.body else None
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
        if any(_is_check(inner) for statement in body for inner in nodes(statement)):
            continue
        if helpers is None:
            helpers = _helpers(content.data)
        inside = [inner for statement in body for inner in nodes(statement)]
        names = {n.id if isinstance(n, ast.Name) else n.attr for n in inside if isinstance(n, _NAMED)}
        if helpers.isdisjoint(names):
            yield Hit(
                content.file.path, content.line(start), f"{node.name} asserts nothing", anchor=node.name
            )


def _tests(data: bytes) -> Iterator[tuple[int, bytes, re.Match[bytes]]]:
    """Test functions: where their line begins, how far it is indented, and the rest of it."""
    for found in _DEF.finditer(data):
        start = data.rfind(b"\n", 0, found.start()) + 1
        if before := _BEFORE_DEF.match(data[start : found.start()]):
            yield start, before[1], found


def _doubtful(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Test functions whose text has no word of a check, and where they begin."""
    for start, indent, found in _tests(data):
        body = _end_of_body(indent).search(data, found.end())
        text = data[start : body.start() if body else len(data)]
        before = data.rfind(b"\n", 0, max(0, start - 1)) + 1
        decorated = data[before:start].lstrip()
        if decorated.startswith(b"@") and (b"fixture" in decorated or b"skip" in decorated):
            continue
        if _WORDS_OF_A_CHECK.search(text) or _SAYS_NOTHING_HAPPENS.search(found[1]):
            continue
        if data.count(b'"""', 0, start) % 2 == 0:
            yield start, text


@cache
def _end_of_body(indent: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?=[ \t]{0,%d}[^ \t\r\n#)\]}])" % len(indent))


def _is_check(node: ast.AST) -> bool:
    # What a `with` opens is a call like any other.
    return isinstance(node, _STATES) or (isinstance(node, ast.Call) and _checks_by_name(node))


def _helpers(data: bytes) -> frozenset[str]:
    """Functions of the file in which there is a check, whoever calls them."""
    found = set()
    for function in _FUNCTION.finditer(data):
        end = _end_of_body(function[1]).search(data, function.end())
        if _WORDS_OF_A_CHECK.search(data, function.end(), end.start() if end else len(data)):
            found.add(function[2].decode("utf-8", "replace"))
    return frozenset(found)


def _checks_by_name(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return _NAMES_OF_A_CHECK.search(name) is not None


def skips(content: Content) -> Iterator[Hit]:
    """skip and xfail without a reason."""
    if not content.file.is_test or not any_in(content.data, (b"skip", b"xfail")):
        return
    for found in _SKIP.finditer(content.data):
        yield Hit(content.file.path, content.line(found.start()), "is switched off without a reason")


def sleeps(content: Content) -> Iterator[Hit]:
    """Fixed waits that a person would notice in a suite.

    A loop that looks again and again waits for something; what sleeps for minutes is ended by the test.
    """
    if not is_python_test(content.file.name) or b"sleep(" not in content.data:
        return
    for found in _SLEEP.finditer(content.data):
        if not _LONG_S <= float(found[1]) < _SAT_OUT_S:
            continue
        before = content.around(found.start()).partition(b"sleep(")[0].lstrip()
        if before.startswith(b"#") or before.count(b'"') % 2 or before.count(b"'") % 2:
            continue
        if not _in_a_loop(content.data, found.start()):
            yield Hit(
                content.file.path, content.line(found.start()), f"waits {found[1].decode()} s by the clock"
            )


def _in_a_loop(data: bytes, at: int) -> bool:
    """Whether the nearest loop or function around a place is a `while`, some lines above it."""
    lines = data[max(0, at - 2000) : at].split(b"\n")[-_NEAR_LINES:]
    left = len(lines[-1]) - len(lines[-1].lstrip())
    for line in reversed(lines[:-1]):
        bare = line.lstrip()
        if bare and len(line) - len(bare) < left:
            left = len(line) - len(bare)
            if bare.startswith((b"while ", b"for ", b"def ", b"async def ")):
                return bare.startswith(b"while ")
    return False


def double_tests(content: Content) -> Iterator[Hit]:
    """Two test functions of one name in the same class or module, by their indentation."""
    if not is_python_test(content.file.name):
        return
    names = [found[1] for _, _, found in _tests(content.data)]
    if len(names) == len(set(names)):
        return
    scopes: dict[tuple[int, bytes], int] = {}
    owner: bytes | None = None
    number = 0
    for line, text in enumerate(content.data.split(b"\n"), 1):
        bare = text.lstrip(b" \t\r")
        if not bare.startswith(_OPENS) or not (found := _SCOPE.match(text)):
            if (
                owner is not None
                and bare
                and bare[:1] not in b"#)]}@"
                and len(text) - len(bare) <= len(owner)
            ):
                owner = None
            continue
        indent, kind, name = found[1], found[2], found[3]
        if kind == b"class":
            number += 1
            owner = indent
            continue
        top = not indent
        if not top and (owner is None or indent != owner + b"    "):
            continue  # inside of a condition or a function: both may be meant
        if not name.startswith(b"test"):
            continue
        place = (0 if top else number, name)
        if place in scopes:
            message = f"{name.decode()} is on line {scopes[place]} already, and only this one runs"
            yield Hit(content.file.path, line, message, anchor=name.decode())
        scopes[place] = line


def never_run(content: Content) -> Iterator[Hit]:
    """Test classes with __init__, and tests that yield: pytest leaves them out."""
    if not is_python_test(content.file.name) or not any_in(content.data, (b"__init__", b"yield", b"class ")):
        return
    data = content.data
    if b"def __init__" in data and INITIALISED.search(data) and (tree := syntax(data)):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test") and not node.bases:
                names = {n.name for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
                if "__init__" in names and any(name.startswith("test") for name in names):
                    yield Hit(
                        content.file.path, node.lineno, f"{node.name} has an __init__: pytest leaves it out"
                    )


def no_tests(repo: Repository) -> Iterator[Hit]:
    """Code, and no file that looks like a test of it."""
    sources = [
        f for f in repo.files.values() if f.language in CODE - {"shell", "sql", "c"} and not f.vendored
    ]
    if not sources or any(f.is_test for f in sources):
        return
    size = sum(file.size for file in sources)
    inside = any(
        file.language in ("rust", "python")
        and (b"#[test]" in data or b"def test_" in data or b">>> " in data)
        for file in sources[:500]
        if (data := repo.read(file)) is not None
    )
    if size > 40 * _LINES_WORTH_TESTING and not inside:
        yield Hit("", 0, f"{len(sources)} source files, and no test")


def pytest_strict(repo: Repository) -> Iterator[Hit]:
    """Where pytest is configured in pyproject.toml."""
    text = repo.text("pyproject.toml") or ""
    if "[tool.pytest.ini_options]" not in text:
        return
    try:
        options = toml.parse(text)["tool"]["pytest"]["ini_options"]
    except (tomllib.TOMLDecodeError, KeyError):
        return
    told = options.get("addopts", "")
    words = set(told.split() if isinstance(told, str) else map(str, told))
    if options.get("strict") is True:
        return
    missing = [
        word
        for word in ("--strict-markers", "--strict-config")
        if word not in words and "--strict" not in words
    ]
    if not missing and options.get("xfail_strict") is True:
        return
    if options.get("xfail_strict") is not True:
        missing.append("xfail_strict")
    line = first_line(text, r"(?m)^\[tool\.pytest\.ini_options\]")
    edits = (Edit(0, len(text.encode()), _stricter(text).encode()),)
    yield Hit("pyproject.toml", line, f"does not have {', '.join(missing)}", edits, "unsafe", anchor="strict")


def _stricter(text: str) -> str:
    document = tomlkit.parse(text)
    options = document["tool"]["pytest"]["ini_options"]
    told = options.get("addopts", [])
    words = told.split() if isinstance(told, str) else [str(word) for word in told]
    words += [word for word in ("--strict-markers", "--strict-config") if word not in words]
    options["addopts"] = " ".join(words) if isinstance(told, str) else words
    options["xfail_strict"] = True
    return tomlkit.dumps(document)
