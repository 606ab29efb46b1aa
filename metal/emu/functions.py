"""What a function's parameters must say, and what its body must not do."""

from __future__ import annotations

from collections.abc import Iterator

from metal.emu.tokens import Source

SPACES = ("device", "constant", "threadgroup", "thread")
NO_CALL = ("return", "else", "case", "sizeof", "if", "while", "for", "switch", "decltype")


def check_functions(source: Source) -> None:
    """Note every function with a pointer of no address space, and every one that calls itself."""
    for name, opening in _functions(source):
        _demand_spaces(source, opening)
        _refuse_recursion(source, name, opening)


def _functions(source: Source) -> Iterator[tuple[str, int]]:
    """The name of every function, and where its parameters begin."""
    for n in range(2, len(source)):
        declares = source.text(n) == "(" and source[n - 1].kind == source[n - 2].kind == "word"
        if not declares or source.text(n - 2) in NO_CALL or source.text(n - 1) in NO_CALL:
            continue
        if source.text(source.closing(n) + 1) in ("{", ";", "const"):
            yield source.text(n - 1), n


def _demand_spaces(source: Source, opening: int) -> None:
    """A pointer or reference among a function's parameters names its address space: C++ would not mind."""
    for first, last in source.split(opening + 1, source.closing(opening)):
        words = source.words(first, last)
        indirect = len(words) > 2 and {"*", "&"} & set(words[1:-1]) and source[last - 1].kind == "word"
        if indirect and not set(SPACES) & set(words) and not {"(", ".", "+", "->"} & set(words):
            source.wrong(first, f"'{' '.join(words)}' needs an address space")


def _refuse_recursion(source: Source, name: str, opening: int) -> None:
    """A function with a body does not call what has its name and takes as many arguments."""
    body = source.closing(opening) + 1
    if source.text(body) != "{":
        return
    takes = len(source.split(opening + 1, body - 1))
    for n in range(body, source.closing(body)):
        if source.text(n) != name or source.text(n + 1) != "(" or source.text(n - 1) in (".", "->", "::"):
            continue
        if len(source.split(n + 2, source.closing(n + 1))) == takes:
            source.wrong(n, f"'{name}' calls itself: no recursion")
