"""git: calls that only say what they would do, short lists, and settings for one command."""

from __future__ import annotations

import re

SETTING = re.compile(
    r"(color\.\w+|core\.quotepath|advice\.\w+|diff\.(context|renames|noprefix)|log\.\w+|commit\.gpgsign)=[\w]*"
    r"|init\.defaultbranch=[\w-]+|core\.pager=(cat)?|user\.(name|email)=[\w.@ -]+",
    re.IGNORECASE,
)
"""What may be set for one command: nothing that runs a program."""


def looks(verb: str, texts: list[str]) -> bool:
    """Calls that only say what they would do, and lists."""
    match verb:
        case "clean":  # without -n it deletes: the last of contradicting options would count
            flags = all(re.fullmatch(r"-[ndxX]+|--dry-run", text) for text in texts if text.startswith("-"))
            return flags and any(re.fullmatch(r"-\w*n\w*|--dry-run", text) for text in texts)
        case "push":
            return (
                bool(texts)
                and texts[0] in ("--dry-run", "-n")
                and all(re.fullmatch(r"[\w/-]+", t) for t in texts[1:])
            )
        case "ls-remote":
            return all(
                re.fullmatch(r"--(heads|tags|refs|symref)|origin|upstream|HEAD", text) for text in texts
            )
        case "config":
            secret = re.compile(r"token|pass|secret|credential|helper|header", re.IGNORECASE)
            return (
                len(texts) == 1
                and bool(re.fullmatch(r"\w+(\.[\w/-]+)+", texts[0]))
                and not secret.search(texts[0])
            )
        case "bisect" | "notes":
            return texts in (["log"], ["list"], ["show"])
    return False
