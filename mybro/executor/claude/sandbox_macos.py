"""The seatbelt profile, in Apple's sandbox language: the last rule that matches holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mybro.executor.claude.sandbox_places import Rule

_START = """\
(version 1)
(allow default)
(deny file-write*)
(deny appleevent-send)
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/ptmx")
  (literal "/dev/dtracehelper") (regex #"^/dev/(tty|fd/|pty)"))
"""


def profile(rules: Iterable[tuple[Path, Rule]]) -> str:
    """The profile for rules in order, outer paths first. A path that does not exist may be named too."""
    return _START + "".join(
        f"{_rule(json.dumps(str(path), ensure_ascii=False), rule)}\n" for path, rule in rules
    )


def _rule(path: str, rule: Rule) -> str:
    match rule:
        case "writable":
            return f"(allow file-read* file-write* (subpath {path}))"
        case "fixed":
            return f"(deny file-write* (subpath {path}))"
        case "hidden":
            # A socket is reached without reading it.
            return f"(deny file-read* file-write* network-outbound (subpath {path}))"
