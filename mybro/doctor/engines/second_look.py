"""A second look at what ruff goes by a form alone for: the lines around say whether it is meant.

The lines are read as text and never parsed: a large repository has thousands of such findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mybro.doctor.engines.around import Place, body, function, heads, width
from mybro.doctor.engines.constants import no_password, no_statement, only_for_play
from mybro.doctor.engines.handlers import of_the_caught, said_below, swallows_nothing

_EXPECTS = re.compile(
    r"with\b.*(?<![\w.])(?:(?:pytest|self|cls)\.)?(?:assert)?(?:raises|warns|deprecated_call)\w*\(",
    re.IGNORECASE,
)


def _expected_to_fail(place: Place) -> bool:
    """What stands in `with raises(…)` is there to be seen failing."""
    for row, bare in heads(place):
        head = bare if not bare.startswith(")") else " ".join(place.lines[max(0, row - 6) : row + 1])
        if _EXPECTS.search(head):
            return True
        if bare.startswith(("def ", "async def ", "class ")):
            return False
    return False


def _tried(place: Place) -> bool:
    """An expression that may raise, in a block that waits for it; a constant and a bare lambda never do."""
    if re.match(r"lambda\s*:|[\d\"'{\[]", place.rest):
        return False
    return _expected_to_fail(place) or next(heads(place), (0, ""))[1].startswith("try:")


def _of_a_module(place: Place) -> bool:
    name = re.match(r"(\w+)\.[lr]?strip\(", place.rest)
    wanted = rf"\s*import\b.*\b{name[1]}\b" if name else ""
    return bool(wanted) and any("import" in line and re.match(wanted, line) for line in place.lines)


def _of_a_class(place: Place) -> bool:
    """`.keys()` of a class, or of an object of some class: nobody knows what going through that gives."""
    name = re.search(r"([\w.]+)(?:\([^()]*\))?\.keys\(\)", place.text)
    last = name[1].rpartition(".")[2] if name else ""
    if last == "dict" and name is not None and "dict.keys" in name[0]:
        return True
    return re.fullmatch(r"[A-Z]\w*[a-z]\w*", last) is not None and not re.search(
        r"(?i)dict|counter|map", last
    )


_OPENED = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?::[^=]+)?=[^=]")


def _closed_later(place: Place) -> bool:
    """A file whose name a later line gives to `with`, closes for sure, or hands on."""
    found = _OPENED.match(place.line)
    head = function(place)
    if not found or place.line.startswith(" ") != (head >= 0):
        return False
    name = re.escape(found[1])
    if head > 0 and "contextmanager" in place.lines[head - 1]:
        return True
    if "." in found[1]:
        return any(f"{found[1]}.close" in line for line in place.lines)
    after = [*body(place, head)][place.row - head :] if head >= 0 else place.lines[place.row + 1 :]
    kept = re.compile(
        rf"\s*(?:async )?with\b.*(?<![\w.])(?<!as ){name}\b(?!\.(?!close))|"
        rf".*\b(?:enter_context|closing|push|callback|addCleanup|register)\({name}\b|"
        rf"\s*(?:return|yield) {name}\s*(?:#.*)?$"
    )
    late, indent = False, width(place.line)
    for line in after:
        if kept.match(line):
            return True
        if width(line) <= indent and re.match(rf"\s*{name}\s*=(?!.*open\()", line):
            return False
        late = late or line.lstrip().startswith("finally:")
        if late and f"{found[1]}.close()" in line:
            return True
    return False


def _sentinel(place: Place) -> bool:
    """The empty tuple is one object: a default that is told from all others by `is`."""
    return (
        re.match(r"\(\)\s+is\s+(?:not\s+)?[^\[{\s\d\"'n]|[\w.]+\s+is\s+(?:not\s+)?\(\)", place.rest)
        is not None
    )


def _other_place(place: Place) -> bool:
    """`for self.value in self.items` binds another thing than it goes through; so does a nested pattern."""
    loop = re.match(r"\s*(?:async )?for\s+(.+?)\s+in\s+(.+)", place.line)
    told = re.search(r"`(\w+)`", place.message)
    if not loop or not told:
        return False
    name = told[1]
    inner = re.search(rf"\([^()]*\b{name}\b", loop[1].removeprefix("("))
    paths = re.findall(rf"\b{name}(?:\.\w+)+", loop[1])
    bare = re.search(rf"\b{name}\b(?!\.)", loop[1])
    same = any(re.search(rf"\b{re.escape(path)}\b(?!\.)", loop[2]) for path in paths)
    return bool(inner) or (bool(paths) and not bare and not same)


def _called_at_once(place: Place) -> bool:
    """A function that the loop makes and only calls sees the values of its own round."""
    around = [*heads(place)]
    made, head = next(((row, bare) for row, bare in around if bare.startswith("def ")), (-1, ""))
    loop = next((row for row, bare in around if row < made and bare.startswith(("for ", "while "))), -1)
    name = re.match(r"def (\w+)\(", head)
    if loop < 0 or not name or place.lines[made - 1].lstrip().startswith("@"):
        return False
    if any(re.search(r"\byield\b", line) for line in body(place, made)):
        return False
    word, plain = re.compile(rf"\b{name[1]}\b"), re.compile(rf"(?<![\w.]){name[1]}\(")
    end = loop + 1 + sum(1 for _ in body(place, loop))
    rows = (row for row, line in enumerate(place.lines) if word.search(line.partition("#")[0]))
    uses = [row for row in rows if row != made]
    return bool(uses) and all(
        made < row < end
        and len(word.findall(place.lines[row])) == len(plain.findall(place.lines[row]))
        and "lambda" not in place.lines[row]
        and next((at for at, bare in heads(place, row) if at < loop or "def " in bare), -1) < loop
        for row in uses
    )


def _used_at_once(place: Place) -> bool:
    """`for block in iter(lambda: file.read(n), b"")` asks the lambda in its own round."""
    before = " ".join(place.lines[max(0, place.row - 2) : place.row + 1])
    return re.search(r"\bfor\b.+\bin iter\(\s*lambda\b", before) is not None


_OLD = frozenset(
    {"unicode", "basestring", "long", "xrange", "raw_input", "unichr", "reduce", "file", "execfile", "reload"}
    | {"cmp", "buffer", "intern", "StandardError", "WindowsError"}
)


def _of_python_2(place: Place) -> bool:
    """A name that Python 2 had, in a file that asks which Python it runs on."""
    told = re.search(r"`(\w+)`", place.message)
    asked = re.compile(r"\bPY[23]\b|version_info|except (?:\(?.*)?NameError|python_2_unicode")
    return told is not None and told[1] in _OLD and any(asked.search(line) for line in place.lines)


def _from_elsewhere(place: Place) -> bool:
    """A name of Python 2, of Cython's declarations, or put among the module's names at run time."""
    made = re.compile(r"\s*(?:import cython\b|from cython\b|cimport )|globals\(\)(?:\[.*\]\s*=|\.update)")
    return _of_python_2(place) or any(
        made.search(line) for line in place.lines if "cython" in line or "()" in line
    )


def _made_at_run_time(place: Place) -> bool:
    """A module that fills its own names: nobody can tell from the text which there are."""
    made = re.compile(r"globals\(\)(?:\[|\.update)|vars\(\)\[|def __getattr__\(|sys\.modules\[__name__\]")
    return any(made.search(line) for line in place.lines if "(" in line or "[" in line)


_TYPE = r"type\((?:[^()]|\([^()]*\))*\)"
_TWO_TYPES = re.compile(rf"{_TYPE}\s*[!=]=\s*{_TYPE}")
_EMPTY = re.compile(r"type\((?:\[\]|\{\}|\(\)|\"\"|'')\)")
"""Stands for the class."""
_MADE = re.compile(r"type\((?:[^()]|\([^()]*\))*?(?:,|\*\*|\w=)")


def _no_question_of_type(place: Place) -> bool:
    """Two objects of the very same type are asked for, a type is made, or `type` is something else."""
    if (_TWO_TYPES.match(place.rest) and not _EMPTY.search(place.rest)) or _MADE.match(place.rest):
        return True
    head = function(place)
    inside = [place.lines[head], *body(place, head)] if head >= 0 else []
    return any(
        re.match(r"\s*(?:async )?def \w+\(.*\btype\b\s*[,):=]|\s+type\s*=[^=]", line) for line in inside
    )


def _handed_on(place: Place) -> bool:
    """`get(url, **options)`: the time limit may be among them, unless the file shows that it is not."""
    handed = re.search(r"[(,]\s*\*\*\s*(\w*)", place.text)
    if not handed:
        return False
    shown = re.compile(rf"\s*{handed[1]}\s*(?::[^=]+)?=\s*(?:\{{.*\}}|dict\(.*\))\s*$")
    return not any("timeout" not in line and shown.match(line) for line in place.lines)


_CHANGES = (
    r"\b{0}\.(?:append|extend|insert|update|add|pop|popitem|remove|discard|setdefault|clear|sort|reverse)\(|"
    r"\b{0}(?:\[[^\]]*\])+\s*(?:[-+*/|&]|//)?=[^=]|\b{0}\s*[-+*|&]=|\bdel {0}\[|\breturn {0}\s*(?:#.*)?$|"
    r"\b(?:self|cls)\.\w+\s*(?::[^=]+)?=\s*{0}\s*(?:#.*)?$|\byield {0}\b"
)


def _only_read(place: Place) -> bool:
    """A default that all calls share, and that the function neither changes nor keeps nor gives away."""
    named = re.search(r"(\w+)\s*(?::[^=]*)?=\s*$", place.line[: place.column])
    head = place.row
    while head >= 0 and not re.match(r"\s*(?:async )?def ", place.lines[head]):
        head -= 1
    if not named or head < 0:
        return False
    changes = re.compile(_CHANGES.format(re.escape(named[1])))
    return not any(changes.search(line) for line in body(place, head))


def _bounded(place: Place) -> bool:
    """A cache that holds so many objects and no more."""
    return re.search(r"lru_cache(?:\(\s*\)|\(.*maxsize\s*=\s*\d|\(\s*\d|\s*$)", place.line) is not None


_SLIGHT: dict[str, Callable[[Place], bool]] = {"B006": _only_read, "B019": _bounded}
"""Rules with the question whether one of their findings is worth little."""
_DISK = re.compile(
    r"os\.path\.(?:l?exists|is(?:file|dir|link|mount|junction|devdrive)|get\w+|same\w+|realpath|relpath|abspath)\b"
)
"""What looks at the disk; the rest of os.path only puts texts together."""


def _nobody_writes(place: Place) -> bool:
    """Whether a mode only lets others read and run, which is how programs are installed."""
    mask = re.search(r"`(0o[0-7]+)`", place.message)
    return mask is not None and not int(mask[1], 8) & 0o022


_NOT_MEANT: dict[str, Callable[[Place], bool]] = {
    "ASYNC240": lambda place: "os.path" in place.rest and not _DISK.search(place.text),
    "B002": lambda place: not place.rest.startswith(("++", "--")),
    "B005": _of_a_module,
    "B015": _expected_to_fail,
    "B018": _tried,
    "B020": _other_place,
    "B023": lambda place: _called_at_once(place) or _used_at_once(place),
    "B904": of_the_caught,
    "BLE001": swallows_nothing,
    "E721": _no_question_of_type,
    "F401": lambda place: ".__all__`" in place.message,
    "F821": _from_elsewhere,
    "F822": _made_at_run_time,
    "F632": _sentinel,
    "F811": lambda place: "`_`" in place.message,
    "F841": said_below,
    "PLR0206": lambda place: re.search(r"def \w+\(self(?:,[^,()]*=[^,()]*)+\)", place.text) is not None,
    "S103": _nobody_writes,
    **dict.fromkeys(("S105", "S106", "S107"), no_password),
    "S113": _handed_on,
    "S311": only_for_play,
    "S321": lambda place: "FTP_TLS" in place.text,
    "S301": lambda place: re.search(r"\.loads\(\s*\w+\.dumps\(", place.text) is not None,
    "S608": no_statement,
    "S610": lambda place: not any("django" in line or ".objects." in line for line in place.lines),
    "SIM115": _closed_later,
    "SIM118": _of_a_class,
    "T100": lambda place: place.message.startswith("Import"),
}
"""Rules with the question whether one of their findings is none."""
_BY_MESSAGE = frozenset({"F401", "F811", "S103", "T100"})
"""Of these ruff's message says it all."""


class Texts:
    """The file of the finding that is looked at, as lines: ruff's findings come file by file."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._path: str | None = None
        self._lines: list[str] = []

    def stands(self, row: Mapping[str, Any], path: str, code: str) -> bool:
        """Whether a finding, as ruff's JSON tells it, is meant after all."""
        return code not in _NOT_MEANT or not _NOT_MEANT[code](self._place(row, path, code))

    def slight(self, row: Mapping[str, Any], path: str, code: str) -> bool:
        """Whether it is meant, and does little harm here."""
        return code in _SLIGHT and _SLIGHT[code](self._place(row, path, code))

    def _place(self, row: Mapping[str, Any], path: str, code: str) -> Place:
        if path != self._path and code not in _BY_MESSAGE:
            text = (self._read(path) or b"").decode("utf-8", "replace")
            self._lines = text.removeprefix("\ufeff").split("\n")
            self._path = path
        start, end = row["location"], row["end_location"]
        return Place(
            self._lines,
            start["row"] - 1,
            start["column"] - 1,
            end["row"] - 1,
            end["column"] - 1,
            row["message"],
        )
