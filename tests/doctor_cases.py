"""Labelled cases of the doctor's checks: tests/data/doctor/*.cases.

`### ID PATH [repo] [git] [unsafe]` begins the cases of a check. `+++` begins a file in which it must fire,
`---` one in which it must not, `===` what a mended `+++` looks like, `>>> PATH` one more file of the same
case. A path may follow each; then how the text is meant: bytes (with escapes), lines (that many of Python),
size (that many bytes), link (its target), exec (executable), gone (committed and deleted again). `repo` and
`git`: each case is a repository of its own. `@@` is taken out, so that the data is no secret itself.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data" / "doctor"
HOW = ("bytes", "lines", "size", "link", "exec", "gone")


@dataclass
class Case:
    """One labelled case."""

    check: str
    number: int
    flags: frozenset[str]
    fires: bool
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Path to how it is meant and its text."""
    fixed: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether it needs a repository of its own."""
        return bool(self.flags & {"repo", "git"})

    @property
    def name(self) -> str:
        return f"{self.check}-{self.number}-{'fires' if self.fires else 'quiet'}"


def read() -> list[Case]:
    cases: list[Case] = []
    for file in sorted(DATA.glob("*.cases")):
        check, path, flags = "", "", frozenset[str]()
        target: dict[str, tuple[str, str]] = {}
        current, how, lines = "", "", []
        for line in [*file.read_text(encoding="utf-8").splitlines(), "### END x"]:
            mark, _, rest = line.partition(" ")
            if mark not in ("###", "+++", "---", "===", ">>>") or (mark == "---" and "BEGIN" in rest):
                lines.append(line.replace("@@", ""))
                continue
            if current:
                target[current] = (how, "\n".join(lines) + "\n" if lines else "")
            current, lines = "", []
            words = rest.split()
            if mark == "###":
                check, path, flags = words[0], words[1], frozenset(words[2:])
                continue
            how = words.pop() if words and words[-1] in HOW else ""
            if mark in ("+++", "---"):
                cases.append(Case(check, len(cases), flags, mark == "+++"))
                target = cases[-1].files
            elif mark == "===":
                target = cases[-1].fixed
            current = words[0] if words else path
    return cases


def content(how: str, text: str) -> bytes:
    match how:
        case "bytes":
            return text.rstrip("\n").encode().decode("unicode_escape").encode("latin-1")
        case "lines":
            return "".join(f"value_{n} = compute({n}, 'something')\n" for n in range(int(text))).encode()
        case "size":
            return b"x" * int(text)
        case _:
            return text.encode()


def lay(case: Case, folder: Path) -> None:
    """Write the case's files; in a git repository, where it wants one."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, (how, text) in case.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if how == "link":
            file.symlink_to(text.strip())
            continue
        file.write_bytes(content(how, text))
        file.chmod(0o755 if how == "exec" else 0o644)
    if "git" in case.flags:
        _git(folder, "init", "-q")
        _git(folder, "add", "-f", "-A")
        _git(folder, "commit", "-qm", "one")
        gone = [path for path, (how, _) in case.files.items() if how == "gone"]
        if gone:
            _git(folder, "rm", "-q", *gone)
            _git(folder, "commit", "-qm", "two")


def _git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)
