"""README, licence and Markdown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.languages import CODE
from mybro.doctor.own.place import Content, Hit

# Nothing in a pattern here may begin again inside of what it has read: a line of brackets would never end.
_LABEL = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
_ADDRESS = r"\(\s{0,8}<?((?:[^()\s>]|\([^()\s]*\))+)>?(?:\s[^()]*)?\)"
_LINK = re.compile(rf"!?{_LABEL}{_ADDRESS}")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|#|mailto:|\{|<|\$|/)", re.IGNORECASE)
_FILL = re.compile(
    r"(?i)lorem ipsum(?=\W*(?:dolor|$))|<your[ -][\w -]+>|\[your[ -][\w -]+\](?!\()|^TODO\b[: ]"
    r"|\bTBD\b(?!\w)|\bcoming soon\b|\{\{[^{}]*(?:project|name)[^{}]*\}\}"
)
_IMAGE = re.compile(r"!\[\s*\]\(")
MIN_WORDS = 12


def readme(repo: Repository) -> Iterator[Hit]:
    """At the top, in docs/ or .github/; a folder of a repository needs none."""
    if not sum(repo.languages[name] for name in CODE) or (repo.git and not (repo.root / ".git").exists()):
        return
    names = (
        "readme",
        "readme.md",
        "readme.rst",
        "readme.txt",
        "readme.adoc",
        "readme.org",
        "readme.markdown",
    )
    if not any(
        p.casefold().removeprefix("docs/").removeprefix(".github/") in names
        for p in (*repo.files, *repo.links)
    ):
        yield Hit("", 0, "there is no README")


def licence(repo: Repository) -> Iterator[Hit]:
    """In any of the usual names."""
    if not sum(repo.languages[name] for name in CODE) or (repo.git and not (repo.root / ".git").exists()):
        return
    found = any(
        p.casefold().startswith(("license", "licence", "copying", "unlicense", "licenses/"))
        for p in (*repo.files, *repo.links)
    )
    if not found:
        yield Hit("", 0, "there is no LICENSE")


def thin_readme(repo: Repository) -> Iterator[Hit]:
    """Hardly a sentence."""
    file = repo.top("readme.md", "readme.rst", "readme.txt", "readme")
    text = repo.text(file) if file else None
    if (
        file
        and text is not None
        and len(re.findall(r"\w+", re.sub(r"!?\[[^\[\]]*\]\([^()]*\)", "", text))) < MIN_WORDS
    ):
        yield Hit(file.path, 0, "says almost nothing", anchor="thin")


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fences and without inline code, with their numbers."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
        elif not fence:
            yield number, _without_code(_without_comments(line))


def _without_comments(line: str) -> str:
    parts = []
    while (start := line.find("<!--")) >= 0 and (end := line.find("-->", start)) >= 0:
        parts.append(line[:start])
        line = line[end + 3 :]
    return "".join((*parts, line))


def _without_code(line: str) -> str:
    """A run of backticks opens code that ends at the next run of the same length."""
    if "`" not in line:
        return line
    parts = re.split(r"(`+)", line)
    ends: dict[str, int] = {}
    closes = [0] * len(parts)
    for at in range(len(parts) - 2, 0, -2):
        closes[at] = ends.get(parts[at], 0)
        ends[parts[at]] = at
    kept, at = [], 0
    while at < len(parts):
        end = closes[at]
        if not end:
            kept.append(parts[at])
        at = end + 1 if end else at + 1
    return "".join(kept)


def links(repo: Repository) -> Iterator[Hit]:
    """Relative links in Markdown to files that are not there."""
    for file in repo.sources("markdown"):
        for number, line in _prose(repo.text(file) or ""):
            for found in _LINK.finditer(line):
                target = unquote(found[1].partition("#")[0].partition("?")[0])
                if not target or _ELSEWHERE.match(target) or "*" in target or "{" in target:
                    continue
                path = os.path.normpath(PurePosixPath(file.path).parent / target)
                if path.startswith("..") or os.path.lexists(repo.root / path):
                    continue
                yield Hit(file.path, number, f"{target} is not there", anchor=target)


def _slug(heading: str) -> str:
    plain = re.sub(
        r"[*_`]|!?\[([^\[\]]*)\]\([^()]*\)", lambda m: m[1] or ("_" if m[0] == "_" else ""), heading
    )
    return re.sub(r"[^\w\- ]", "", plain.strip().casefold()).replace(" ", "-")


def anchors(content: Content) -> Iterator[Hit]:
    """Links within one page."""
    text = content.text
    known: set[str] = set(re.findall(r"(?:id|name)=[\"']([^\"']+)", text)) | set(
        re.findall(r"\{#([\w-]+)\}", text)
    )
    counts: dict[str, int] = {}
    rows = list(_prose(text))
    headings = [re.match(r"\s{0,3}#{1,6}\s+(.*)$", line) for line in text.splitlines()]
    under = re.findall(r"(?m)^(.+)\n(?:=+|-+)[ \t]*$", text)
    for title in [h[1].rstrip().rstrip("#").rstrip() for h in headings if h] + under:
        slug = _slug(title)
        counts[slug] = counts.get(slug, -1) + 1
        known.add(f"{slug}-{counts[slug]}" if counts[slug] else slug)
    for number, line in rows:
        for target in re.findall(r"(?<!!)\[[^\[\]]+\]\(#([^()\s]+)\)", line):
            if (
                unquote(target).casefold() not in known
                and target.casefold() != "top"
                and unquote(target) not in known
            ):
                yield Hit(content.file.path, number, f"there is no heading for #{target}", anchor=target)


def markdown(content: Content) -> Iterator[Hit]:
    """A fence without an end, and headings without a blank."""
    fence, opened = "", 0
    offset = 0
    for number, line in enumerate(content.data.split(b"\n"), 1):
        text = line.decode("utf-8", "replace")
        found = _FENCE.match(text.rstrip("\r"))
        if found and not fence:
            fence, opened = found[1], number
        elif found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
        elif not fence and (heading := re.match(r"(#{1,6})([A-Z][a-z]+\b)", text)) and "/" not in text:
            place = offset + len(heading[1])
            yield Hit(
                content.file.path,
                number,
                "a heading needs a blank after #",
                (Edit(place, place, b" "),),
                "safe",
                anchor=text,
            )
        offset += len(line) + 1
    if fence:
        yield Hit(content.file.path, opened, "this fence is never closed", anchor="fence")


def placeholders(content: Content) -> Iterator[Hit]:
    """What a template left behind."""
    for number, line in _prose(content.text):
        if found := _FILL.search(line):
            yield Hit(content.file.path, number, f'"{found[0][:40]}" was to be filled in', anchor=found[0])


def alt_text(content: Content) -> Iterator[Hit]:
    """![](picture) and <img> without alt."""
    for number, line in _prose(content.text):
        if _IMAGE.search(line) or re.search(r"<img\b(?![^<>]*\balt=)[^<>]*>", line):
            yield Hit(content.file.path, number, "an image without words")
