"""From a prompt to the first thing the coding session does: a warm process beside a new one.

    python -m benchmarks.executor_bench [--json] [--quick]

Both are the real Claude Code CLI, answered at once by a scripted model on loopback; the first thing is the
first piece of progress that a person would see. "ours" is a prompt that meets a warm process, "peer" one that
has to start its process first. Needs the CLI: MYBRO_CLAUDE_BIN, or `claude` on PATH.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Spread, report
from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import Event
from mybro.executor.claude.hand import ClaudeHand
from mybro.executor.claude.store import FileSessionStore
from mybro.executor.hand import Job
from mybro.intent import Intent
from tests.claude_api import ScriptedServer, text
from tests.claude_fixtures import environment, find_claude

ROUNDS, QUICK_ROUNDS = 20, 5


async def first_event_ms(hand: ClaudeHand, repo: Path) -> float:
    """Milliseconds from handing over the job to its first event."""
    came: list[float] = []

    async def note(_: Event) -> None:
        came.append(time.perf_counter())

    began = time.perf_counter()
    job = Job(1, 1, Intent(kind="task", text="say hello"), repo, lambda: 1)
    await hand.run(job, note)
    return (came[0] - began) * 1e3


async def measure(claude: str, rounds: int) -> dict[str, Spread]:
    """Every kind of start by turns, so that all meet the same load."""
    spent: dict[str, list[float]] = {"cold": [], "prewarmed": [], "warm": []}
    with ScriptedServer() as api, tempfile.TemporaryDirectory() as folder:
        api.when("say hello", [text("Hello there.")])
        base, repo = Path(folder), Path(folder, "repo")
        for name in ("home", "repo"):
            (base / name).mkdir()
        env = environment(base / "home", api.url)
        settings = ExecutorSettings(claude_path=claude)
        for number in range(2 * (rounds + 1)):
            store = FileSessionStore(base / f"sessions{number}")
            hand = ClaudeHand(settings, MonotonicClock(), env=env, store=store)
            try:
                if number % 2:
                    await hand.prewarm(repo)
                spent["prewarmed" if number % 2 else "cold"].append(await first_event_ms(hand, repo))
                if number % 2:
                    spent["warm"].append(await first_event_ms(hand, repo))
            finally:
                await hand.aclose()
    # The first round fills the caches of the disk.
    return {name: Spread(tuple(values[1:])) for name, values in spent.items()}


def compared(ours: Spread, peer: Spread) -> dict[str, Any]:
    """How many times longer the peer takes."""
    pairs = Spread(tuple(b / a for a, b in zip(ours.values, peer.values, strict=True)))
    return {
        "unit": "ms",
        "ours": round(ours.median, 2),
        "peer": round(peer.median, 2),
        "ratio": round(peer.median / ours.median, 2),
        "spread": {"ours": ours.figures(), "peer": peer.figures(), "ratio": pairs.figures()},
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    chosen = options.parse_args()
    claude = find_claude()
    if claude is None:
        options.exit(1, "the Claude Code CLI is not here: npm install -g @anthropic-ai/claude-code\n")
    spent = asyncio.run(measure(claude, QUICK_ROUNDS if chosen.quick else ROUNDS))
    figures = {
        "cold_over_warm": compared(spent["warm"], spent["cold"]),
        "cold_over_prewarmed": compared(spent["prewarmed"], spent["cold"]),
    }
    notes = [
        "ratio is peer / ours: how many times longer a new process takes",
        "prewarmed: the first prompt of a process that waited for it; warm: its second",
    ]
    report(figures, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
