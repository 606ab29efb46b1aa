"""The same quick successions of sentences, with the real CLI: what becomes of the files, and what is left."""

from __future__ import annotations

import asyncio
import random
import re
import time
from pathlib import Path

import pytest

from mybro.config import load_settings
from mybro.pipeline.session import session
from tests.claude_api import ScriptedServer, bash, text
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.order_room import FILE, World
from tests.program import processes_with
from tests.projects import contents, shop
from tests.test_pipeline_order_trials import judge, script
from tests.trials import share

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]

CLOSING_S = 20
"""On a busy machine."""
CLOCKS_S = 0.05
"""Between the file system's and ours."""


def places(shop: Path, data: Path) -> list[Path]:
    return [shop, *(data / "worktrees").glob("*/[!.]*")]


def files(told: World, data: Path) -> dict[str, list[Path]]:
    """Where there is what was written, by its name."""
    found: dict[str, list[Path]] = {}
    for place in places(told.repo, data):
        for path in place.glob("f[0-9][0-9].txt"):
            found.setdefault(path.stem, []).append(path)
    return found


def judge_files(told: World, data: Path) -> None:
    """What became of the files that were to be written."""
    found = files(told, data)
    offset = time.time() - time.monotonic()
    for turn, words in told.spoken.items():
        later = [said for number, said in told.spoken.items() if number > turn]
        named = [(name, path) for name in FILE.findall(words) for path in found.get(name, [])]
        for stop, swept in told.swept.items():
            who = told.spoken[stop].removesuffix("stop")
            moved = re.search(r"undo|redo|merge", " ".join(later))
            if turn < stop and not moved and (not who or words.startswith(who)):
                late = [name for name, path in named if path.stat().st_mtime > swept + offset + CLOCKS_S]
                assert not late, f"{words!r} went on after {told.spoken[stop]!r}"
        if later[:1] == ["undo that"] and "write" in words and turn + 1 in told.ended:
            assert not named or "redo that" in later, f"{words!r} was not undone"
        for who in ("parser", "docs"):
            if words.startswith(f"{who} agent, write") and not re.search("merge", " ".join(later)):
                assert [path.parent.name for _, path in named] in ([who], []), words


@pytest.mark.parametrize("seed", share(range(10), 4))
async def test_what_is_said_at_once_is_done_as_it_was_said(
    seed: int, claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in claude_env.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    data = tmp_path / "data"
    monkeypatch.setenv("MYBRO_DATA_DIR", str(data))
    dice = random.Random(seed)
    said = script(dice)
    delay = dice.choice((0.0, 0.0, 0.05))
    for name in {name for _, words in said for name in FILE.findall(words)}:
        command = f"echo half > {name}.txt; sleep {dice.random() * 0.3:.2f}; echo whole >> {name}.txt"
        claude_api.when(
            f"write {name}", [bash(command, word_delay_s=delay), text("It is written.", word_delay_s=delay)]
        )
        asks = bash("git push origin main", word_delay_s=delay)
        claude_api.when(f"ask me about {name}", [asks, text("That was all.", word_delay_s=delay)])
    settings = load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": claude_bin},
        }
    )  # fmt: skip
    async with session(settings, shop, ears=False) as running:
        told = World(running.pipeline, running.executor, shop, [])
        running.pipeline.watch(told)
        for gap, words in said:
            await asyncio.sleep(gap)
            await told.say(words)
        await told.settle()
        stands = contents(shop)
        closing = time.monotonic()
    assert time.monotonic() - closing < CLOSING_S
    judge(told)
    assert processes_with(Path(claude_env["HOME"])) == []
    if not told.pipeline.state.quitting:
        assert contents(shop) == stands
    judge_files(told, data)
