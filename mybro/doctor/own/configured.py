"""Mistakes in scripts, build files, templates and Go, where no engine that runs by default sees them.

As in `idioms`, each row begins with a word that must be in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit, lines_with

_SCRIPTS: tuple[tuple[str, bytes, re.Pattern[bytes], str], ...] = (
    (
        "SEC12",
        b"curl",
        re.compile(rb"\bcurl\s(?:[^|;&\n]*\s)?(?:-[a-zA-Z]*k[a-zA-Z]*|--insecure)(?=\s|$)", re.MULTILINE),
        "curl does not check certificates",
    ),
    (
        "SEC12",
        b"--no-check-certificate",
        re.compile(rb"--no-check-certificate\b"),
        "does not check certificates",
    ),
    (
        "SEC12",
        b"sslVerify",
        re.compile(rb"\bhttp\.sslVerify[ =]+[\"']?(?:false|0)\b", re.IGNORECASE),
        "git does not check certificates",
    ),
    (
        "SEC12",
        b"GIT_SSL_NO_VERIFY",
        re.compile(rb"\bGIT_SSL_NO_VERIFY\s*[=:]\s*[\"']?(?:1|true)\b"),
        "git does not check certificates",
    ),
    (
        "SEC12",
        b"NODE_TLS_REJECT_UNAUTHORIZED",
        re.compile(rb"\bNODE_TLS_REJECT_UNAUTHORIZED\s*[=:]\s*[\"']?0"),
        "Node does not check certificates",
    ),
    ("SEC12", b"strict-ssl", re.compile(rb"\bstrict-ssl[ =]+false\b"), "npm does not check certificates"),
    (
        "SEC12",
        b"--trusted-host",
        re.compile(rb"\bpip3?\b[^\n]*\s--trusted-host\b"),
        "pip does not check certificates",
    ),
    (
        "SEC18",
        b"chmod",
        re.compile(
            rb"\bchmod\s+(?:-\w+\s+)*(?:0?[0-7]{2}[2367]|(?:a|o|ugo|go|uo)?\+\w*w\w*)\s", re.MULTILINE
        ),
        "everybody may write it",
    ),
    (
        "SEC28",
        b"StrictHostKeyChecking",
        re.compile(rb"StrictHostKeyChecking[ =]+[\"']?(?:no|off|false)\b", re.IGNORECASE),
        "any host is trusted",
    ),
)
_MAKE_RM = re.compile(rb"(?m)^[\t ][@-]?[ \t]*rm[ \t]+-\w*[rR]\w*\s[^\n]*\$[({]\w+[)}]/(?=[*\s]|$)")
_GO_TLS = re.compile(rb"\bInsecureSkipVerify:\s*true\b")


def script_idioms(content: Content) -> Iterator[Hit]:
    """Shell scripts, Dockerfiles, Makefiles, workflows; and Go, which has no engine here."""
    data, path = content.data, content.file.path
    if content.file.language == "go":
        if b"InsecureSkipVerify" in data:
            for line, _ in lines_with(content, _GO_TLS):
                yield Hit(path, line, "certificates are not checked", rule="SEC12")
        return
    for check, word, pattern, message in _SCRIPTS:
        if word in data:
            for line, found in lines_with(content, pattern):
                if check != "SEC18" or b"+t" not in found[0]:
                    yield Hit(path, line, message, rule=check)
    if content.file.language == "make":
        for line, _ in lines_with(content, _MAKE_RM):
            yield Hit(path, line, "deletes everything where the variable is empty", rule="CI16")


_PAGES: tuple[tuple[str, bytes, re.Pattern[bytes], str], ...] = (
    ("SEC20", b"safe", re.compile(rb"\{\{[^{}]*\|\s*safe\s*(?:\|[^{}]*)?\}\}"), "is shown without escaping"),
    (
        "SEC20",
        b"autoescape",
        re.compile(rb"\{%-?\s*autoescape\s+(?:off|false)\s*-?%\}"),
        "what follows is shown without escaping",
    ),
    (
        "JS04",
        b"v-html",
        re.compile(rb"\sv-html\s*=\s*[\"'](?!\s*(?:sanitiz|purif)\w*\()"),
        "text becomes HTML",
    ),
    ("JS04", b"{@html", re.compile(rb"\{@html\s+(?![\"'`]|(?:sanitiz|purif)\w*\()"), "text becomes HTML"),
)


def page_idioms(content: Content) -> Iterator[Hit]:
    """Templates and single-file components."""
    for check, word, pattern, message in _PAGES:
        if word in content.data:
            for line, _ in lines_with(content, pattern):
                yield Hit(content.file.path, line, message, rule=check)
