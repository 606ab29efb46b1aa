"""What is known and accepted: comments beside the code, and the baseline."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mybro.doctor.check import DoctorError
from mybro.doctor.facts import Repository
from mybro.doctor.finding import Finding, Unexamined

BASELINE = ".mybro-baseline.json"
_COMMENT = re.compile(r"mybro:\s*ignore(-file)?\[([A-Za-z0-9, ]+)\][ \t]*([^\n]*)")
MARK = b"mybro: ignore"
_HEAD_LINES = 30
_MOST_LINES = 10
_SIGNS = ("#", "//", "/*", "<!--", "--", "%")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A finding that is not reported."""

    finding: Finding
    reason: str


class _Comment(NamedTuple):
    first: int
    """The line from which it holds: its own, or the next where nothing else is on its own."""
    whole: bool
    """Whether it holds for the whole file."""
    ids: frozenset[str]
    reason: str


class Comments:
    """`# mybro: ignore[SEC05] checksum only` on the line, or on the one above it; -file at a file's top.

    Without a reason it does not count, and that is told.
    """

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._files: dict[str, list[_Comment]] = {}
        self.without_reason: list[Unexamined] = []

    def reason(self, finding: Finding) -> str:
        """Why it is accepted; empty where it is not."""
        if not finding.path or finding.path not in self._repo.files:
            return ""
        if finding.path not in self._files:
            self._files[finding.path] = self._read(finding.path)
        last = min(max(finding.end_line, finding.line), finding.line + _MOST_LINES)
        for comment in self._files[finding.path]:
            if finding.check in comment.ids and (comment.whole or finding.line <= comment.first <= last):
                return comment.reason
        return ""

    def _read(self, path: str) -> list[_Comment]:
        file = self._repo.files[path]
        data = self._repo.read(path) if self._repo.may_have(file, (MARK,)) else None
        if data is None or MARK not in data:
            return []
        found = []
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if "mybro:" not in line or not (match := _COMMENT.search(line)):
                continue
            ids = frozenset(word.strip().upper() for word in match[2].split(","))
            reason = re.sub(r"\s*(?:\*/|-->)\s*$", "", match[3]).strip(" :-")
            whole = match[1] is not None and number <= _HEAD_LINES
            if reason:
                alone = line.lstrip().startswith(_SIGNS)
                found.append(_Comment(number + alone, whole, ids, reason))
            else:
                why = f"line {number}: an ignore without a reason does not count"
                self.without_reason.append(Unexamined(path, why, "mybro", partial=False))
        return found


def read_baseline(file: Path) -> Counter[str]:
    """Fingerprints of findings that were there before, with how often. Raises `DoctorError` bad_baseline."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["findings"]
        return Counter({str(row["fingerprint"]): int(row.get("count", 1)) for row in rows})
    except FileNotFoundError:
        raise DoctorError(
            "no_baseline", f"there is no {file}", hint="mybro doctor --write-baseline"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DoctorError("bad_baseline", f"{file} cannot be read: {error}", hint="Write it anew") from None


def write_baseline(file: Path, findings: Iterable[Finding]) -> int:
    """Accept what is there now; gives how many."""
    listed = list(findings)
    counts = Counter(f.fingerprint for f in listed)
    about = {f.fingerprint: (f.check, f.path) for f in listed}
    rows = [
        {"fingerprint": mark, "check": about[mark][0], "path": about[mark][1], "count": count}
        for mark, count in sorted(counts.items(), key=lambda item: (about[item[0]], item[0]))
    ]
    text = json.dumps({"version": 1, "findings": rows}, indent=1, ensure_ascii=True)
    file.write_text(text + "\n", encoding="utf-8")
    return len(listed)
