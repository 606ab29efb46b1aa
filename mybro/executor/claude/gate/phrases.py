"""Phrases that are harmless as a whole, though what is in them is not."""

from __future__ import annotations

import os
import re

from mybro.executor.claude.gate.words import SECRET

_NAMED = r"\^?\w{3,}=?"
_SEARCHES = re.compile(
    r"(^|[;&(\n]\s*)(?:env|printenv) \| e?grep ((?:-[iEwnc]+ )*)"
    rf"(['\"]?)(\.|{_NAMED}(?:\\?\|{_NAMED})*)\3(?=\s*(?:$|[|;&\n)]))"
)
_TELLING = re.compile(
    r"key|tok|sec|pass|cred|auth|aws|api|git|npm|url|uri|dsn|anth|claude|openai|hf_|slack|stripe|login|pat$",
    re.IGNORECASE,
)


def plainly(command: str) -> str:
    """`env | grep NAME`, where no secret is met, as a call of the same effect."""
    return _SEARCHES.sub(_searched, command)


def _searched(told: re.Match[str]) -> str:
    counts, wanted = "c" in told[2], told[4]
    if not counts and (_TELLING.search(wanted) or wanted == "." or _meets_secret(wanted)):
        return told[0]
    return f"{told[1]}true"


def _meets_secret(wanted: str) -> bool:
    pattern = re.compile(wanted.replace("\\|", "|"), re.IGNORECASE)
    return any(
        SECRET.search(name) and pattern.search(f"{name}={value}") for name, value in os.environ.items()
    )
