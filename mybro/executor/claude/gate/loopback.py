"""Requests to this machine's own servers."""

from __future__ import annotations

import re

from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.runners import DESTRUCTIVE
from mybro.executor.claude.gate.words import Command

_OWN = re.compile(r"(https?://)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/|$|\?)")


def curl(command: Command, _: Place) -> Reach | None:
    """Only this machine's own servers: they are asked, or given what stands on the line."""
    plain: list[str] = []
    if [word.text for word in command.words[1:]] in (["--version"], ["-V"]):
        return Reach.READS
    words = command.words[1:]
    posts = at = 0
    while at < len(words):
        # A question mark in an address is no pattern here.
        values = words[at].values
        text = words[at].text if words[at].text is not None or not values else values[0]
        value = words[at + 1].text if at + 1 < len(words) else None
        if text is None or text.startswith("@"):
            return None
        if text in ("-o", "--output") and value == "/dev/null":
            at += 1
        elif _VALUED.fullmatch(text) or (text in ("-b", "--cookie") and "=" in (value or "")):
            if value is None or value.startswith("@"):
                return None
            at += 1
        elif _GIVEN.fullmatch(text) or (
            text in ("-X", "--request") and value in ("GET", "POST", "HEAD", "OPTIONS")
        ):
            if (
                value is None
                or value.startswith("@")
                or "=@" in value
                or (DESTRUCTIVE.search(value) and text != "-X")
            ):
                return None
            posts += value not in ("GET", "HEAD", "OPTIONS")
            at += 1
        elif text.startswith("-"):
            if not _SHOWN.fullmatch(text):
                return None
            posts += text == "-XPOST"
        else:
            plain.append(text)
        at += 1
    ours = all(_OWN.match(url) for url in plain)
    does = any(DESTRUCTIVE.search(url.replace("?", " ")) for url in plain)
    own_work = all(re.search(r":(3\d{3}|4[0-4]\d\d|5000|517\d|8[08]\d\d|9000)(/|$)", url) for url in plain)
    return Reach.READS if plain and ours and not does and (own_work or not posts) else None


_VALUED = re.compile(r"-[Hmw]|--(header|max-time|write-out|connect-timeout|retry|retry-delay|retry-max-time)")
_GIVEN = re.compile(r"-d|--data(-raw|-binary|-urlencode)?|--json")
_SHOWN = re.compile(
    r"-[sSifvILkgG]+|-X(GET|POST|HEAD)|-[sS]+[wHm]|--(silent|fail|head|include|location|verbose|show-error|get|retry-connrefused|compressed"
    r"|no-progress-meter|no-buffer|fail-with-body|retry-all-errors)|-N"
)
