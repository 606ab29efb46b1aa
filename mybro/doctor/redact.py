"""Secrets never leave in a report: everything that is shown passes here."""

from __future__ import annotations

import re

from mybro.doctor.own.token_forms import FORMS

_TOKEN = re.compile("|".join(f"(?:{form.pattern.pattern.decode()})" for form in FORMS))
_LONG = re.compile(r"[\w.+/=:~-]{18}")
"""Every key has as many characters in a row: most messages have none."""
_NAMED = re.compile(
    r"(?i)((?:passw(?:or)?d|secret|api[_-]?key|token|credential)[\w.]*[\"']?\s*(?::=|=>|=|:|to:)\s*)"
    r"(?:\"[^\"\n]{3,}\"|'[^'\n]{3,}'|[A-Za-z0-9+/_-]{16,})"
)
_ADDRESS = re.compile(r"(://[^\s:/@]{1,60}:)[^\s:/@]{2,80}(@)")
_PEM = re.compile(r"-----BEGIN [^-]*PRIVATE KEY.*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def redact(text: str) -> str:
    """The text without anything that looks like a key, and without control characters."""
    if _LONG.search(text):
        text = _TOKEN.sub(lambda found: f"{found[0][:4]}…", text)
    text = _NAMED.sub(r"\1…", text)
    text = _PEM.sub("(private key)", _ADDRESS.sub(r"\1…\2", text))
    return printable(text)


def printable(text: str) -> str:
    """With control and direction characters, and undecodable bytes, written out."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\n", "\\n").replace("\t", " "))
