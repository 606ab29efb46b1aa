"""Mistakes that show in a line or two of text, where no engine that runs by default sees them.

Each row begins with a word that must be in the file: nearly every file is done after a plain search. A
pattern that begins with letters, and looks behind them afterwards, is found many times quicker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit, any_in, lines_with
from mybro.doctor.own.statements import LAZY, lost, never_awaited, same_condition

_EXCEPTIONS = (
    rb"(?:(?:Value|Type|Key|Index|Lookup|Attribute|OS|IO|Runtime|Import|ModuleNotFound|FileNotFound|FileExists|"
    rb"Permission|Timeout|Connection(?:Reset|Refused|Aborted)?|BrokenPipe|Arithmetic|ZeroDivision|Overflow|Unicode|"
    rb"Unicode(?:De|En)code|Assertion|NotImplemented|Name|Memory|Recursion|Syntax|EOF|JSONDecode|HTTP|URL|"
    rb"Request|SSL)Error|Stop(?:Async)?Iteration|TimeoutExpired|CalledProcessError|DoesNotExist|Empty)"
)
"""What is an Exception for sure; somebody's own may come from BaseException alone."""
_CALL = rb"[^()\n]*(?:\([^()\n]*\)[^()\n]*)*"
PYTHON: tuple[tuple[str, bytes, re.Pattern[bytes], str], ...] = (
    (
        "PY22",
        b"open(",
        re.compile(
            rb"open\((?<![\w.]open\()" + _CALL + rb"\)\.(?:read|readlines|readline|write|writelines)\("
        ),
        "the file is never closed",
    ),
    (
        "PY22",
        b"open(",
        re.compile(rb"(?<!\w)(?:json|pickle|yaml|tomllib|csv)\.(?:load|safe_load|reader)\(\s*open\("),
        "the file is never closed",
    ),
    (
        "SEC12",
        b".verify =\x20False",
        re.compile(rb"\b\w*(?:session|client|s|http|requests)\.verify = False\b", re.IGNORECASE),
        "certificates are not checked",
    ),
    (
        "SEC12",
        b"verify=\x46alse",
        re.compile(
            rb"\.(?:get|post|put|patch|delete|head|options|request|send)\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*"
            rb"\bverify=False\b"
        ),
        "certificates are not checked",
    ),
    (
        "SEC15",
        b"DEBUG",
        re.compile(rb"\.config\[[\"']DEBUG[\"']\]\s*=\s*True\b"),
        "the debugger is on",
    ),
    (
        "SEC16",
        b".login(",
        re.compile(
            rb"\.login\(\s*[^,()\n]+,\s*[\"'](?=[^\"'\n]*\d)(?=[^\"'\n]*[A-Za-z])[^\"'\s<{$]{6,}[\"']\s*\)"
        ),
        "a password in a call",
    ),
    (
        "PF03",
        b"_loop().create_task(",
        re.compile(rb"(?m)^[ \t]+asyncio\.get_(?:running|event)_loop\(\)\.create_task\("),
        "nobody holds the task",
    ),
    (
        "SEC14",
        b".bind((",
        re.compile(rb"\.bind\(\((?:\"\"|''),"),
        "listens on every network",
    ),
    (
        "SEC18",
        b".chmod(",
        re.compile(rb"(?<!\bos)\.chmod\(\s*0o?[0-7]{0,2}[2367]\s*\)|\.chmod\([^()\n]*\bS_I(?:WOTH|RWXO)\b"),
        "everybody may write the file",
    ),
    (
        "SEC09",
        b"trust_remote_code\x3dTrue",
        re.compile(rb"\btrust_remote_code[=]True"),
        "the model's repository may run code",
    ),
    (
        "SEC07",
        b".exec_command(",
        re.compile(rb"\.exec_command\(\s*(?:[frb]*[fF][\"']|[\"'][^\"'\n]*[\"']\s*(?:%|\+|\.format\())"),
        "a value becomes part of a remote shell's command",
    ),
    (
        "PF08",
        b"axis=1",
        re.compile(rb"\.apply\(\s*lambda\b[^\n]*\baxis=1\s*\)"),
        "a table gone through row by row",
    ),
    (
        "PF09",
        b".append(await ",
        re.compile(
            rb"(?<=\n)[ \t]+for (\w+) in [^\n]+:[ \t]*\n[ \t]+\w+\.append\(await [^\n]*\b\1\b[^\n]*\)[ \t]*\n"
        ),
        "each one waits for the one before",
    ),
    (
        "PF09",
        b"= await ",
        re.compile(
            rb"(?<=\n)[ \t]+for (\w+) in [^\n]+:[ \t]*\n[ \t]+(\w+) = await [^\n]*\b\1\b[^\n]*\n"
            rb"[ \t]+\w+\.append\(\2\)[ \t]*\n"
        ),
        "each one waits for the one before",
    ),
    (
        "TS07",
        b".assert_",
        re.compile(
            rb"assert (?<=\bassert )[\w.]+\.assert_(?:called\w*|any_call|has_calls|not_called|awaited\w*)"
            rb"[ \t]*(?:#[^\n]*)?$",
            re.MULTILINE,
        ),
        "the method is not called",
    ),
    (
        "TS07",
        b"called_",
        re.compile(
            rb"(?m)^[ \t]+(?:[\w.]+\.called_(?:once_with|with|once)|[\w.]*[Mm]ock[\w.]*\.not_called)\("
        ),
        "a mock has no such assertion",
    ),
    (
        "PY26",
        b"except",
        re.compile(
            rb"except(?<=\bexcept)\*?\s*\((?=[^()\n]*(?:\bBaseException|" + _EXCEPTIONS + rb")\b[^()\n]*\))"
            rb"(?=[^()\n]*,)(?:[^()\n]*,\s*)?(?:BaseException|Exception)\s*[,)]",
        ),
        "Exception catches the others, too",
    ),
    (
        "TS06",
        b"assert True",
        re.compile(rb"(?m)^[ \t]+assert True[ \t]*(?:#[^\n]*)?$"),
        "asserts nothing",
    ),
    (
        "PY30",
        b"__exit__(self)",
        re.compile(rb"def __a?exit__\(self\)"),
        "is called with three arguments",
    ),
)
_SHOWN = re.compile(rb"\s*(?:\d+\s|>>>|\.\.\.)")
"""How a line begins that a docstring shows: a number, or Python's prompt."""
TLS = re.compile(rb"\b(?:verify_)?ssl[=]False\b")
LOOP = re.compile(
    rb"for (?P<item>[\w, ()]+) in (?P<of>[A-Za-z_][\w.]*?)(?:\.(?P<view>keys|items|values)\(\))?:[ \t]*\n"
)
_WAYS = (b"remove", b"discard", b"popitem", b"insert", b"clear", b"pop")
CHANGES = (*(b".%b(" % way for way in _WAYS), b" del ", b"\tdel ")
"""What a line has that takes from a collection."""
_CHANGE = re.compile(
    rb"([A-Za-z_][\w.]*)\.(?:%b)\(|del ([A-Za-z_][\w.]*)\[[^\[\]]*\]\s*(?:#|$)" % b"|".join(_WAYS)
)
CHANGED = re.compile(
    rb"\n[ \t\r\f\v]+(?:([A-Za-z_][\w.]*)\.(?:%b)\(|del ([A-Za-z_][\w.]*)\[)" % b"|".join(_WAYS)
)
WORDS = (
    *(row[1] for row in PYTHON),
    *CHANGES,
    b"ssl\x3dFalse",
    b"elif ",
    b"class ",
    b"async def ",
    b"\nasync def ",
    *LAZY,
)
"""One of them is in every file in which there is something to find."""


def idioms(content: Content) -> Iterator[Hit]:
    """Python."""
    from mybro.doctor.own import idiom_shapes as shapes

    data, path = content.data, content.file.path
    for shape, (check, word, pattern, message) in shapes.ROWS:
        if (
            content.may_have(shape)
            and word in data
            and (check != "SEC07" or b"ssh" in data or b"paramiko" in data)
        ):
            for line, found in lines_with(content, pattern):
                if not _SHOWN.match(content.around(found.start())):
                    yield Hit(path, line, message, rule=check)
    if content.may_have(shapes.TLS) and b"aiohttp" in data:
        for line, _ in lines_with(content, TLS):
            yield Hit(path, line, "certificates are not checked", rule="SEC12")
    if content.may_have(shapes.CHANGED) and any_in(data, (b".remove(", b"del ", b".pop(")):
        yield from _changed_while_read(content)
    if content.may_have(shapes.SAME):
        yield from same_condition(content)
    if content.has(b"class ") and content.may_have(shapes.NO_SELF) and b"():" in data:
        yield from _no_self(content)
    if content.may_have(shapes.LOST):
        yield from lost(content)
    if content.may_have(shapes.NEVER_AWAITED):
        yield from never_awaited(content)


def _changed_while_read(content: Content) -> Iterator[Hit]:
    """`for x in items:` whose body takes from `items` and goes on."""
    data = content.data
    changed = set(_changed(data))
    for loop in LOOP.finditer(data) if changed else ():
        if loop["of"] not in changed:
            continue
        start = data.rfind(b"\n", 0, loop.start()) + 1
        indent = data[start : loop.start()]
        if indent.strip() not in (b"", b"async"):
            continue
        width = len(indent) - len(indent.lstrip())
        if loop["view"] == b"values":
            continue
        offset = loop.end()
        while offset < len(data):
            end = data.find(b"\n", offset)
            end = len(data) if end < 0 else end
            line = data[offset:end]
            bare = line.lstrip()
            if bare and len(line) - len(bare) <= width:
                break
            change = _CHANGE.match(bare)
            if (
                change
                and (change[1] or change[2]) == loop["of"]
                and not _leaves(data, end + 1, len(line) - len(bare), width)
            ):
                message = f"{loop['of'].decode()} is changed while it is gone through"
                yield Hit(content.file.path, content.line(offset), message, rule="PY32")
            offset = end + 1


def _changed(data: bytes) -> Iterator[bytes]:
    """What something is taken from or put into, wherever that stands at the beginning of a line."""
    for word in (*(b".%b(" % way for way in _WAYS), b"del "):
        place = data.find(word)
        while place >= 0:
            change = CHANGED.match(data, max(0, data.rfind(b"\n", 0, place)))
            if change:
                yield change[1] or change[2]
            place = data.find(word, place + len(word))


def _leaves(data: bytes, offset: int, width: int, loop: int) -> bool:
    """Whether the loop is left after the change: in the same block, before anything is read again."""
    for line in data[offset : offset + 800].split(b"\n"):
        bare = line.lstrip()
        if bare and len(line) - len(bare) <= loop:
            return False
        if bare and len(line) - len(bare) < width:
            return bare.startswith((b"break", b"return", b"raise"))
        if bare.startswith((b"break", b"return", b"raise")):
            return True
    return False


_METHOD = re.compile(rb"\n    def (\w+)\(\):")
_METHOD_WIDTH = 4


def _no_self(content: Content) -> Iterator[Hit]:
    """A method without any parameter, which fails as soon as an object is asked for it."""
    data = content.data
    for method in _METHOD.finditer(data):
        before = data[max(0, method.start() - 200) : method.start()].rpartition(b"\n")[2].strip()
        if before.startswith((b"@", b")")) or re.search(rb"(?<!\.)(?<!def )\b%b\(" % method[1], data):
            continue
        owner = next(
            (
                line
                for line in reversed(data[: method.start()].split(b"\n"))
                if line.strip() and len(line) - len(line.lstrip()) < _METHOD_WIDTH and line[:1] not in b"#)"
            ),
            b"",
        )
        bases = owner.partition(b"(")[2]
        if owner.startswith(b"class ") and b"Interface" not in bases:
            message = f"{method[1].decode()}() has no self"
            yield Hit(content.file.path, content.line(method.start(1)), message, rule="PY30")
