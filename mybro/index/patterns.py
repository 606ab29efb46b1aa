"""Definitions found with regular expressions: where tree-sitter or a language's grammar is missing."""

from __future__ import annotations

import re

_NAME = rb"([A-Za-z_$][\w$]*)"
_PUBLIC = rb"^[ \t]*(?:export[ \t]+|pub[ \t]+)?"
_COMMON = [
    ("function", rb"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+|export[ \t]+|default[ \t]+|async[ \t]+|static[ \t]+"
     rb"|public[ \t]+|private[ \t]+|internal[ \t]+|override[ \t]+|open[ \t]+|unsafe[ \t]+|const[ \t]+)*"
     rb"(?:def|fn|func|fun|function\*?)[ \t]+(?:\([^)]*\)[ \t]*|self\.)?" + _NAME),
    ("class", rb"^[ \t]*(?:[a-z]+(?:\([^)]*\))?[ \t]+)*?(?:class|struct|enum|trait|interface|protocol"
     rb"|module|namespace)[ \t]+" + _NAME),
    ("class", _PUBLIC + rb"type[ \t]+" + _NAME),
    ("variable", _PUBLIC + rb"(?:const|let|var|val|static)[ \t]+(?:mut[ \t]+)?" + _NAME),
    ("constant", rb"^[ \t]*#[ \t]*define[ \t]+" + _NAME),
    ("variable", rb"^[ \t]*(?:self\.|this\.)?" + _NAME
     + rb"(?:[ \t]*:[ \t]*[^=\n#]+)?[ \t]*(?:=(?![=>])|:=)"),
]  # fmt: skip
_COMPILED = [(kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in _COMMON]
_C = re.compile(rb"^[A-Za-z_][\w \t*&:<>,]*?[ \t*&]([A-Za-z_]\w*)[ \t]*\([^;{}]*\)[^;{}]*\{", re.MULTILINE)
_JAVA = re.compile(
    rb"^[ \t]+(?:(?:public|private|protected|static|final|async)[ \t]+)+"
    rb"[\w<>\[\], ]*?([A-Za-z_]\w*)[ \t]*\(",
    re.MULTILINE,
)
_KEYWORDS = frozenset(b"if for while switch return else do try catch new case sizeof".split())


def definitions(language: str, source: bytes) -> list[tuple[str, bytes, int]]:
    """Kind, name and offset of what a file defines, in no order."""
    found = [(kind, match[1], match.start(1)) for kind, one in _COMPILED for match in one.finditer(source)]
    extra = {"c": _C, "cpp": _C, "java": _JAVA, "csharp": _JAVA}.get(language)
    if extra is not None:
        found += [("function", match[1], match.start(1)) for match in extra.finditer(source)]
    return [entry for entry in found if entry[1] not in _KEYWORDS]
