"""Shell scripts, Dockerfiles and what is written into scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit, lines_with

_PIPE = re.compile(
    rb"(?:curl|wget)\b[^\n|;&]*\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:(?:ba|z|da|k)?sh\b|(?:python[\d.]*|perl|ruby|node|php)\s*(?:-\s*)?(?:$|[;&\n\"']))|(?:ba|z)?sh\s+(?:-c\s+[\"']?\$\(|<\()\s*(?:curl|wget)\b"
)
_GNU = (
    (
        re.compile(rb"\bsed\s+(?:-[nrE]+\s+)*-i\s+(?!['\"]{2}|\.|-e\b.*\.bak)(?=['\"\w/-])"),
        "sed -i without a suffix",
    ),
    (re.compile(rb"\breadlink\s+-f\b"), "readlink -f"),
    (re.compile(rb"\bdate\s+(?:-d|--date)\b"), "date -d"),
    (re.compile(rb"\bgrep\s+-\w*P\b"), "grep -P"),
    (re.compile(rb"\bstat\s+(?:-c|--format|--printf)\b"), "stat -c"),
    (re.compile(rb"\bxargs\s+(?:-\w+\s+)*-r\b"), "xargs -r"),
    (re.compile(rb"\bsort\s+-\w*V\b"), "sort -V"),
    (re.compile(rb"\bbase64\s+-w"), "base64 -w"),
    (re.compile(rb"\bcp\s+(?:-\w+\s+)*--parents\b"), "cp --parents"),
)
_PORTABLE = re.compile(rb"\buname\b|\bOSTYPE\b|darwin|\bgsed\b|\bgdate\b")
_BASH4 = (
    (re.compile(rb"(?m)(?:^|[;&|]|\bthen|\bdo)[ \t]*(?:mapfile|readarray)\b"), "mapfile"),
    (re.compile(rb"\b(?:declare|local|typeset)\s+-[a-z]*A\b"), "declare -A"),
    (re.compile(rb"\$\{\w+(?:,,|\^\^|,|\^)\}"), "${x,,}"),
    (re.compile(rb"&>>"), "&>>"),
    (re.compile(rb"\$\{\w+\[-1\]\}"), "${x[-1]}"),
    (re.compile(rb"\bshopt\s+-s\s+globstar\b"), "globstar"),
)
_STRICT = re.compile(rb"(?m)^[ \t]*set[ \t]+(?:-\w*e|-o[ \t]+errexit)|\A#!.*[ \t]-\w*e")
_HOME = re.compile(rb"(?<![\w.$}/~])/(?:Users|home)/([A-Za-z][\w.-]+)/[\w.-]+")
_NOBODY = frozenset(
    {
        b"user",
        b"username",
        b"you",
        b"me",
        b"your",
        b"yourname",
        b"runner",
        b"shared",
        b"vscode",
        b"node",
        b"app",
        b"ubuntu",
        b"name",
        b"someone",
        b"foo",
        b"x",
        b"alice",
        b"bob",
        b"jovyan",
        b"linuxbrew",
    }
)


def pipe_to_shell(content: Content) -> Iterator[Hit]:
    """curl | sh and its relatives."""
    if b"curl" in content.data or b"wget" in content.data:
        for line, _ in lines_with(content, _PIPE):
            yield Hit(content.file.path, line, "what is downloaded is run unseen")


def gnu_options(content: Content) -> Iterator[Hit]:
    """In scripts that do not ask which system they are on."""
    if _PORTABLE.search(content.data):
        return
    for pattern, name in _GNU:
        for line, _ in lines_with(content, pattern):
            yield Hit(content.file.path, line, f"{name} works with GNU's tools only", rule="gnu", anchor=name)


def new_bash(content: Content) -> Iterator[Hit]:
    """What bash 3.2 does not know."""
    first = content.data.split(b"\n", 1)[0]
    if b"BASH_VERSINFO" in content.data or b"zsh" in first or content.file.name.endswith(".zsh"):
        return
    if first.startswith(b"#!") and b"bash" not in first:
        return
    for pattern, name in _BASH4:
        for line, _ in lines_with(content, pattern):
            yield Hit(content.file.path, line, f"{name} needs bash 4 or newer", anchor=name)


def shell_strict(content: Content) -> Iterator[Hit]:
    """Programs of some length; what is sourced must not change its caller's settings."""
    data = content.data
    if not data.startswith(b"#!") or _STRICT.search(data) or data.count(b"\n") < 4:
        return
    yield Hit(content.file.path, 1, "goes on after a command that failed: no set -e", anchor="strict")


def dockerfile(content: Content) -> Iterator[Hit]:
    """Its base, its user, and secrets in its layers."""
    path, text = content.file.path, content.text
    stages: set[str] = set()
    final = 0
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"(?i)\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", line)
        if found:
            final = number
            image = found[1]
            if (
                image.casefold() not in stages
                and image != "scratch"
                and "$" not in image
                and "@" not in image
            ):
                tag = image.rpartition("/")[2].partition(":")[2]
                if tag in ("", "latest"):
                    yield Hit(path, number, f"{image} can be another image tomorrow", rule="CI13")
            if found[2]:
                stages.add(found[2].casefold())
        elif re.match(r"(?i)\s*ADD\s+https?://", line):
            yield Hit(path, number, "ADD of an address checks nothing", rule="CI13")
        elif re.match(r"\s*RUN\b.*\bsudo\b", line):
            yield Hit(path, number, "sudo in a build", rule="CI13")
    users = re.findall(r"(?im)^[ \t]*USER[ \t]+(\S+)", text)
    if final and (not users or users[-1].partition(":")[0] in ("root", "0")):
        yield Hit(path, final, "runs as root: there is no USER", rule="CI13", anchor="user")


def home_paths(content: Content) -> Iterator[Hit]:
    """Folders that belong to one person."""
    if content.file.is_test or not (b"/Users/" in content.data or b"/home/" in content.data):
        return
    for line, found in lines_with(content, _HOME):
        if found[1].lower() not in _NOBODY and b"://" not in content.around(found.start()):
            yield Hit(content.file.path, line, "a path in one person's home folder")
