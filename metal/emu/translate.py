"""From MSL to C++ that clang compiles for this machine.

The file is preprocessed first; then a few tokens are replaced where they stand. Line markers survive, so that
compiler errors, sanitizer reports and coverage name the lines of the `.metal` file and its headers.

What cannot stand in MSL, or only in MSL that this library does not use, is an error here: a kernel's
parameter without an attribute, a pointer or reference without an address space, a threadgroup variable
outside of a kernel, `double`, the C++ library, exceptions, `goto`, lambdas, recursion, static variables,
pointers to functions, pointers cast as in C.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from metal.emu.functions import NO_CALL, SPACES, check_functions
from metal.emu.reflection import Kernel, Parameter
from metal.emu.tokens import MslError, Source

BANNED = {
    "double": "Metal has no double",
    "std": "the C++ standard library is not there",
    "virtual": "no virtual functions",
    "new": "no memory from a heap",
    "delete": "no memory from a heap",
    "throw": "no exceptions",
    "try": "no exceptions",
    "goto": "no goto",
    "dynamic_cast": "no run-time types",
    "typeid": "no run-time types",
    "thread_local": "no thread_local",
    "asm": "no assembly",
}
_VECTOR = re.compile(r"(u?char|u?short|u?int|u?long|half|float|bool)[234]")


@dataclass(slots=True)
class _Argument:
    """A kernel's parameter as it is written."""

    type: str
    name: str
    attribute: str
    index: int


@dataclass(slots=True)
class _Function:
    """A kernel function as it is written."""

    name: str
    file: str
    parameters: list[_Argument]
    template: list[str]
    body: str = ""


@dataclass(slots=True)
class Translation:
    """C++ text and the kernels in it."""

    text: str
    kernels: list[Kernel]
    functions: dict[str, list[_Argument]] = field(default_factory=dict)
    """All parameters of each kernel function, with what has no buffer index."""


def translate(preprocessed: str, name: str) -> Translation:
    """Translate the preprocessed text of the file `name`.

    Raises:
        MslError: the text is no MSL that the emulator runs.
    """
    source = Source(preprocessed, name)
    walk = _Walk(source)
    walk.run()
    check_functions(source)
    if source.errors:
        raise MslError("\n".join(dict.fromkeys(source.errors)))
    kernels = [_reflect(walk.functions, host, expression) for host, expression in walk.instances]
    text = "".join(token.out for token in source.tokens)
    return Translation(text, kernels, {key: f.parameters for key, f in walk.functions.items()})


class _Walk:
    """One pass over the tokens."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.functions: dict[str, _Function] = {}
        self.instances: list[tuple[str, str]] = []
        self._bodies: list[tuple[int, int]] = []
        self._template: list[str] = []
        self._variables = 0

    def run(self) -> None:
        n = 0
        while n < len(self.source):
            n = self._step(n)
        self.instances += [(f.name, f.name) for f in self.functions.values() if not f.template]

    def _step(self, n: int) -> int:
        source, text = self.source, self.source.text(n)
        token = source[n]
        if text == "[[":
            return self._attribute(n)
        if token.kind == "number" and re.fullmatch(r"[\d.]+(e[-+]?\d+)?h", text):
            token.out = f"half({text[:-1]}f)"
        elif text in ("{", ";"):
            self._template = []  # it belonged to another declaration than a kernel's
        elif token.kind != "word":
            self._mark(n)
        elif text == "template":
            return self._template_of(n)
        elif text == "kernel":
            token.out = ""
            return self._kernel(n + 1)
        elif text in SPACES:
            return self._space(n)
        elif text == "static" and self._is_variable(n):
            source.wrong(n, "no static variables")
        elif text in BANNED and source.text(n - 1) not in (".", "->"):
            source.wrong(n, f"'{text}': {BANNED[text]}")
        elif _VECTOR.fullmatch(text) and source.text(n + 1) == "(":
            token.out = f"::metal::make<{text}>"
        return n + 1

    def _mark(self, n: int) -> None:
        """A bracket that begins what C++ has and MSL has not."""
        source, text, before = self.source, self.source.text(n), self.source.text(n - 1)
        if text == "[" and before in ("=", "(", ",", "return"):
            source.wrong(n, "no lambdas")
        if text != "(":
            return
        end = source.closing(n)
        inside = source.words(n + 1, end)
        called = source[n - 1].kind == "word" and before not in NO_CALL
        if called and len(inside) == 2 and inside[0] == "*" and source.text(end + 1) == "(":
            source.wrong(n, "no pointers to functions")
        # Clang would let such a cast change the address space.
        casts = inside[-1:] == ["*"] and set(SPACES) & set(inside) and not {",", "("} & set(inside)
        if casts and not called and source.text(end + 1) not in (";", ",", ")", "{"):
            source.wrong(n, "a pointer is cast by reinterpret_cast")

    def _attribute(self, n: int) -> int:
        end = self.source.closing(n)
        inside = self.source.words(n + 1, end - 1)
        self.source.erase(n, end + 1)
        return self._kernel(end + 1) if inside == ["kernel"] else end + 1

    def _template_of(self, n: int) -> int:
        source = self.source
        if source.text(n + 1) == "<":
            end = source.closing_angle(n + 1)
            self._template = [source.text(last - 1) for _, last in source.split(n + 2, end)]
            return end + 1
        end = source.next(n, ";")
        words = source.words(n, end)
        if "host_name" not in words:
            return n + 1
        strings = (word for word in words if word.startswith('"'))
        host = "".join(word[1:-1] for word in strings)
        opening = source.next(n, "decltype")
        if opening >= end:
            source.wrong(n, "an instance is written as decltype(f<T>) f<T>")
        else:
            self.instances.append((host, source.spelled(opening + 2, source.closing(opening + 1))))
        source.erase(n, end + 1)
        return end + 1

    def _kernel(self, n: int) -> int:
        source = self.source
        if source.text(n) != "void":
            source.wrong(n, "a kernel returns void")
            return n + 1
        opening, closing = n + 2, source.closing(n + 2)
        found = [self._parameter(start, end) for start, end in source.split(opening + 1, closing)]
        function = _Function(
            source.text(n + 1), source[n + 1].file, [p for p in found if p is not None], self._template
        )
        if source.text(closing + 1) == "{":
            end = source.closing(closing + 1)
            self._bodies.append((closing + 1, end))
            function.body = source.spelled(closing + 2, end)
        self.functions[function.name], self._template = function, []
        return opening + 1

    def _parameter(self, start: int, end: int) -> _Argument | None:
        source = self.source
        at = source.next(start, "[[")
        name = source.text(min(at, end) - 1)
        if at >= end:
            source.wrong(start, f"kernel parameter '{name}' has no attribute")
            return None
        words = source.words(at + 1, source.closing(at) - 1)
        index = int(words[2]) if len(words) == 4 and words[1] == "(" else -1
        kind = source.spelled(start, at - 1)
        if words[0] == "buffer" and "&" in source.words(start, at) and source.text(start) == "constant":
            # Handed over by value: a copy in the constant address space is no other than one in a register.
            source.erase(start, start + 1)
            source[start].out = "const"
            source[source.next(start, "&")].out = ""
        return _Argument(kind, name, words[0], index)

    def _space(self, n: int) -> int:
        source, text = self.source, self.source.text(n)
        if source[n].out == "const":
            return n + 1
        begins = source.text(n - 1) in ("{", "}", ";", ":", "", "]") or source[n - 1].out == ""
        if text == "constant" and source.text(n + 1) == "constexpr":
            source[n].out = "static"
        elif text == "threadgroup" and begins and not {"*", "&"} & set(source.words(n, self._extent(n))):
            return self._variable(n)
        else:
            source[n].out = {"thread": ""}.get(text, f"MSL_{text.upper()}")
        return n + 1

    def _is_variable(self, n: int) -> bool:
        """Whether a declaration is of what can change, and no function's."""
        source = self.source
        end = min(source.next(n, ";"), source.next(n, "="))
        return source.next(n, "(") > end and not {"constant", "constexpr"} & set(source.words(n, end))

    def _extent(self, n: int) -> int:
        """Where a declaration's name ends: at the bracket of its extent, or at its end."""
        return min(self.source.next(n, "["), self.source.next(n, ";"))

    def _variable(self, n: int) -> int:
        source, end = self.source, self.source.next(n, ";")
        if not any(first < n < last for first, last in self._bodies):
            source.wrong(n, "a threadgroup variable stands in a kernel")
        if "=" in source.words(n, end):
            source.wrong(n, "a threadgroup variable has no initial value")
        last = self._extent(n)
        kind, name = source.spelled(n + 1, last - 1), source.text(last - 1)
        extent = source.spelled(last, end)
        self._variables += 1
        out = f"MSL_VARIABLE({self._variables}, {name}, {extent}, {kind})"
        source.erase(n, end)
        source[n].out = out
        return end


def _reflect(functions: dict[str, _Function], host: str, expression: str) -> Kernel:
    base = expression.split("<", maxsplit=1)[0].strip()
    if base not in functions:
        raise MslError(f"{host}: no kernel is called {base}")
    function = functions[base]
    inside = Source(expression, host)
    opening = inside.next(0, "<")
    given = [
        inside.spelled(a, b)
        for a, b in (inside.split(opening + 1, len(inside) - 1) if opening < len(inside) else [])
    ]
    aliases = dict(zip(function.template, given, strict=True))
    found = [p for p in function.parameters if p.attribute == "buffer"]
    parameters = tuple(_public(parameter) for parameter in sorted(found, key=lambda p: p.index))
    return Kernel(host, function.file, expression, aliases, parameters, function.body)


def _public(parameter: _Argument) -> Parameter:
    words = re.findall(r"\w+", parameter.type)
    space = next((word for word in words if word in SPACES), "")
    writable = space == "device" and "const" not in words
    return Parameter(parameter.name, parameter.type, space, writable, parameter.index)
