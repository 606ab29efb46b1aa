"""What lives and writes after a spoken stop, beside ending the coding session's process with SIGTERM.

    python -m benchmarks.stop_bench [--json] [--quick]

Both sides drive the real Claude Code CLI, answered by a scripted model on loopback, and have it start the
same children: plain, in a session of its own, forked twice, deaf to SIGTERM, busy, and forking without end.
Each is seen to write before the stop. A watcher outside both trees then looks at files and the process table
for 30 s (quick: 4 s).

    ours   `mybro run`, told to stop by voice; time zero is the end of the spoken word
    peer   the CLI by itself, ended as other front ends end it, SIGTERM to its process; zero is the signal

survivors and late_bytes count what lives and is written later than one second after time zero; p95_s is when
the last sign of life was seen. Needs the CLI (MYBRO_CLAUDE_BIN, or `claude` on PATH).
"""

from __future__ import annotations

import argparse
import contextlib
import math
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import Spread, report
from mybro.demo import build_project
from tests.claude_api import ScriptedServer, bash, text
from tests.claude_fixtures import environment, find_claude
from tests.fakes.ops import KINDS, LIFE_S
from tests.spoken_program import speaking_to, stop_by_voice
from tests.stop_scene import LATE_S, Child, Sight, Watcher, plant, watching

ROUNDS, QUICK_ROUNDS = 5, 1
UNTIL_S, QUICK_UNTIL_S = 30.0, 4.0


class Place:
    """A home and a repository of one side's own."""

    def __init__(self, folder: Path, api: ScriptedServer, claude: str) -> None:
        self.home, self.repo, self.claude = folder / "home", folder / "shop", claude
        for made in (self.home, self.repo):
            made.mkdir(parents=True)
        build_project(self.repo)
        self.env = environment(self.home, api.url)


def ours(place: Place, api: ScriptedServer, watcher: Watcher, kinds: Sequence[str]) -> None:
    env = {
        **place.env,
        "MYBRO_EXECUTOR__CLAUDE_PATH": place.claude,
        "MYBRO_BRAIN__PROVIDER": "none",
    }
    with speaking_to(place.repo, place.home, env) as session:
        for kind in kinds:
            stop_by_voice(session, api, watcher, plant(place.repo, kind))


def peer(place: Place, api: ScriptedServer, watcher: Watcher, kinds: Sequence[str]) -> list[Child]:
    children = [plant(place.repo, kind) for kind in kinds]
    for child in children:
        api.when(child.token, [bash(child.command), text("It ended.")])
        argv = [place.claude, "-p", f"Run {child.token}", "--output-format", "stream-json", "--verbose"]
        argv += ["--allowedTools", "Bash(python3 *)"]
        with subprocess.Popen(
            argv, cwd=place.repo, env=place.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        ) as session:  # fmt: skip
            watcher.begin(child)
            child.wait_for_writing()
            watcher.stopped(child, time.monotonic())
            session.terminate()
    return children


def clear(children: Sequence[Child]) -> None:
    """End what the peer left; what forks all the time is met sooner or later."""
    tokens = {child.token for child in children}
    deadline = time.monotonic() + LIFE_S
    while time.monotonic() < deadline:
        left = [p for p in psutil.process_iter(["cmdline"]) if tokens & set(p.info["cmdline"] or ())]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def measure(claude: str, kinds: Sequence[str], until_s: float) -> tuple[list[Sight], list[Sight]]:
    """One side after the other, so that what the peer leaves does not slow our side down."""
    with ScriptedServer() as api, tempfile.TemporaryDirectory(prefix="mybro-bench-") as folder:
        with watching(until_s) as watcher:
            ours(Place(Path(folder, "ours"), api, claude), api, watcher, kinds)
            mine = watcher.sights()
        with watching(until_s) as watcher:
            left = peer(Place(Path(folder, "peer"), api, claude), api, watcher, kinds)
            theirs = watcher.sights()
        clear(left)
    return [s for group in mine.values() for s in group], [s for group in theirs.values() for s in group]


def figures(mine: Sequence[Sight], theirs: Sequence[Sight]) -> dict[str, Any]:
    def both(unit: str, one: float, other: float) -> dict[str, Any]:
        return {"unit": unit, "ours": one, "peer": other}

    sides = [Spread(tuple(sight.quiet_s for sight in side)) for side in (mine, theirs)]
    p95 = both("s", *(round(_p95(side), 3) for side in sides))
    p95["spread"] = {
        name: {key: round(value, 3) for key, value in side.figures().items()}
        for name, side in zip(("ours", "peer"), sides, strict=True)
    }
    return {
        "survivors": both("processes", *(sum(s.survivors for s in side) for side in (mine, theirs))),
        "late_bytes": both("bytes", *(sum(s.late_bytes for s in side) for side in (mine, theirs))),
        "p95_s": p95,
    }


def _p95(spread: Spread) -> float:
    return sorted(spread.values)[math.ceil(0.95 * len(spread.values)) - 1]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} round instead of {ROUNDS}")
    chosen = options.parse_args()
    claude = find_claude()
    if claude is None:
        options.exit(1, "the Claude Code CLI is not here: npm install -g @anthropic-ai/claude-code\n")
    rounds, until_s = (QUICK_ROUNDS, QUICK_UNTIL_S) if chosen.quick else (ROUNDS, UNTIL_S)
    mine, theirs = measure(claude, KINDS * rounds, until_s)
    notes = [
        f"{len(mine)} stops to a side; too late is later than {LATE_S:.0f} s after the word, or the signal",
        "ours includes hearing and recognising the word; the peer is measured from its signal on",
    ]
    report(figures(mine, theirs), as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
