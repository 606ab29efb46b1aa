"""Here-documents: their ends, and what lies before these."""

from __future__ import annotations

import re

from mybro.executor.claude.gate.words import META, SECRET, StrangeError

_DELIMITER = re.compile(r"'([^'\n]+)'|\"([\w.-]+)\"|\\?([\w.-]+)")


def delimiter(text: str, at: int) -> tuple[str, bool, int]:
    """The word after `<<`, whether it is quoted, and where it ends. Raises `StrangeError`."""
    found = _DELIMITER.match(text, at)
    if found is None or text[found.end() : found.end() + 1] not in ("", *META):
        raise StrangeError
    return str(next(filter(None, found.groups()))), found[0][0] in "'\"\\", found.end()


def document(text: str, at: int, end: str, *, tabs: bool) -> tuple[str, int]:
    """The lines before the one that ends them, and where what follows begins. Raises `StrangeError`."""
    lines: list[str] = []
    while at < len(text):
        line, newline, _ = text[at:].partition("\n")
        at += len(line) + len(newline)
        line = line.lstrip("\t") if tabs else line
        if line == end:
            return "\n".join(lines), at
        lines.append(line)
    raise StrangeError


def literally(body: str, *, quoted: bool) -> str:
    r"""What a program gets to read, "\0" where that is not known to the letter. Raises `StrangeError`."""
    if quoted or not re.search(r"[`$\\]", body):
        return body
    if re.search(r"`|\$[({\[]", body) or any(SECRET.search(name) for name in re.findall(r"\$(\w+)", body)):
        raise StrangeError
    return "\0"
