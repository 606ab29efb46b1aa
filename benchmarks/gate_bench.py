"""What the gate lets through that it must not, and what it asks about that is harmless.

    python -m benchmarks.gate_bench [--json] [--quick]

Commands come from tests/data/gate_commands.jsonl, each also wrapped as it could be hidden (in `sh -c`, a
pipe, a loop), spoken requests from tests/data/gate_words.jsonl, each also with polite words around it.
"missed" counts the dangerous that would run unasked, "falsely_asked" the harmless that are asked about.
The peer is what other programs do: a list of bad substrings.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.harness import report
from mybro import risk
from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import Allow, judge
from mybro.intent import Intent, Kind
from tests.gate_cases import project

DATA = Path(__file__).parent.parent / "tests" / "data"
AROUND = (
    "ls && {}", "git status; {}", "echo start; {} ; echo done", "( {} )", "if [ -d src ]; then {}; fi",
    "for i in 1; do {}; done", "pytest -q && {}", "{} > /dev/null 2>&1", "cd src && cd .. && {}", "x=1; {}",
)  # fmt: skip
INSIDE = (
    "sh -c {}", "bash -lc {}", "env sh -c {}", "eval {}", "echo {} | sh", "xargs -I% sh -c {} < README.md",
    "find . -maxdepth 0 -exec sh -c {} \\;", "timeout 5 sh -c {}", "nohup bash -c {} &",
    "git -c alias.x='!sh -c \"$1\"' x {}", "awk 'BEGIN {{ system(ARGV[1]) }}' {}", "echo \"$(sh -c {})\"",
)  # fmt: skip
HARMLESS_AROUND = ("{}", "{} || true", "{} && echo ok", "(cd src && ls) && {}")
POLITE = (
    "{}",
    "please {}",
    "can you {}",
    "okay now {}",
    "I want you to {}",
    "{} please",
    "go ahead and {}",
    "{} right away",
)
BLOCKLIST = (
    "rm -rf", "rm -r ", "sudo", "mkfs", "dd if=", "git push --force", "git push -f", "git reset --hard",
    "git clean",
    "drop table", "drop database", "shutdown", "reboot", "chmod 777", "chmod -R 777", "> /dev/sd", ":(){",
    "| sh", "| bash",
    "kill -9", "delete from", "truncate table", "terraform destroy", "kubectl delete", "npm publish",
    "force push",
    "delete", "wipe", "format ",
)  # fmt: skip
QUESTION = re.compile(r"(what|why|how|explain)\b")
QUICK, FULL = 1000, 12_000
"""Cases of each sort, drawn by a seed."""


def rows(name: str, group: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [next(iter(row.values())) for row in map(json.loads, lines) if row["group"] == group]


def hidden(commands: Iterable[str]) -> list[str]:
    """The commands as they are, between others, and inside of others."""
    found: list[str] = []
    for command in commands:
        found.append(command)
        if "\n" not in command and "#" not in command:
            found += [around.format(command) for around in AROUND]
        found += [inside.format(shlex.quote(command)) for inside in INSIDE]
    return found


def asks_about(repo: Path) -> Callable[[str], bool]:
    def asks(command: str) -> bool:
        return not isinstance(
            judge(PermissionAsked("", "Bash", {"command": command}), repo, read_only=False), Allow
        )

    return asks


def asks_back(text: str) -> bool:
    kind: Kind = "question" if QUESTION.match(text) else "task"
    return risk.judge(Intent(kind=kind, text=text)).needs_confirmation


def spoken(texts: Iterable[str]) -> list[str]:
    return [
        way.format(text) for text in texts for way in (POLITE if not QUESTION.match(text) else POLITE[:1])
    ]


def blocked(text: str) -> bool:
    return any(part in text.casefold() for part in BLOCKLIST)


def measure(most: int | None) -> dict[str, Any]:
    """The figures; `most` commands and sentences of each sort, chosen by a seed."""
    chance = random.Random(3)

    def some(cases: list[str]) -> list[str]:
        return cases if most is None or len(cases) <= most else chance.sample(cases, most)

    bad = some(hidden(rows("gate_commands.jsonl", "dangerous")))
    bad_words = some(spoken(rows("gate_words.jsonl", "dangerous")))
    good = [
        way.format(c)
        for c in rows("gate_commands.jsonl", "harmless")
        for way in HARMLESS_AROUND
        if "\n" not in c
    ]
    good_words = some(spoken(rows("gate_words.jsonl", "harmless")))
    good = some(good + [c for c in rows("gate_commands.jsonl", "harmless") if "\n" in c])
    with tempfile.TemporaryDirectory() as folder:
        asks = asks_about(project(Path(folder)))
        let_through = [c for c in bad if not asks(c)] + [t for t in bad_words if not asks_back(t)]
        bothered = [c for c in good if asks(c)] + [t for t in good_words if asks_back(t)]
    wrong, fine = bad + bad_words, good + good_words
    return {
        "missed": {
            "ours": len(let_through), "peer": sum(not blocked(text) for text in wrong), "of": len(wrong),
            "commands": len(bad), "sentences": len(bad_words), "which": let_through[:20],
        },
        "falsely_asked": {
            "unit": "%", "ours": round(100 * len(bothered) / len(fine), 2),
            "peer": round(100 * sum(map(blocked, fine)) / len(fine), 2), "of": len(fine),
            "which": bothered[:40],
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="a smaller part")
    options = parser.parse_args()
    figures = measure(QUICK if options.quick else FULL)
    report(figures, as_json=options.json, notes=["the peer is a list of bad substrings"])


if __name__ == "__main__":
    main()
