"""`mybro bench`: how quick it is here."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mybro.cli import bench_metal

if TYPE_CHECKING:
    from mybro.events import TurnTimed

QUIET_S = 2.5
"""Quiet after each recording: a turn ends by it."""
WIDTH = 40
"""Columns of the picture."""
STAGES = (
    ("waited_ms", "end of turn"),
    ("recognised_ms", "words"),
    ("recorded_ms", "journal"),
    ("understood_ms", "intent"),
    ("started_ms", "start of work"),
)


@click.group("bench")
def command() -> None:
    """How quick mybro is on this machine."""


command.add_command(bench_metal.command)


@command.command("voice")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False), metavar="[FILE…]")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1, 20), help="How often each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def voice(files: tuple[str, ...], rounds: int, as_json: bool) -> int:
    """Play recorded commands at the speed of speech, and show where the time goes until the work begins.

    FILEs are recordings of single sentences; without any, those of `mybro demo`. Everything is real and
    happens in a temporary repository; no coding session is started.
    """
    with tempfile.TemporaryDirectory(prefix="mybro-bench-") as folder:
        # What is said here is none of the person's own history.
        os.environ["MYBRO_DATA_DIR"] = str(Path(folder) / "data")
        timed = asyncio.run(_play(Path(folder), [Path(file) for file in files], rounds, quiet=as_json))
    if not timed:
        click.echo("In none of these recordings a command was heard.", err=True)
        return 1
    click.echo(json.dumps(summary(timed)) if as_json else "\n".join(picture(timed)))
    return 0


async def _play(folder: Path, files: Sequence[Path], rounds: int, *, quiet: bool) -> list[TurnTimed]:
    from mybro.audio.files import FileSource
    from mybro.cli.downloads import downloads
    from mybro.config import load_settings
    from mybro.demo import COMMANDS, RECORDINGS, build_project
    from mybro.events import Envelope, TurnTimed
    from mybro.models.hub import fetcher
    from mybro.pipeline.session import session

    chosen = list(files) or [RECORDINGS / f"{name}.flac" for name in COMMANDS]
    timed: list[TurnTimed] = []

    def watch(envelope: Envelope) -> None:
        if isinstance(envelope.event, TurnTimed):
            timed.append(envelope.event)

    build_project(folder / "shop")
    flags = {"executor": {"agent": "claude", "claude_path": os.devnull}, "speak": {"notify": False}}
    with downloads(one_line=True) as report:
        opening = session(
            load_settings(flags), folder / "shop", (watch,), ears=True, voice=False, fetch=fetcher(report)
        )
        async with opening as running:
            running.warm_up()
            await asyncio.sleep(1)
            for number, file in enumerate(chosen * rounds):
                padded = await asyncio.to_thread(_with_quiet, file, folder / f"{number}.wav")
                if not quiet:
                    click.echo(f"playing {file.name}", err=True)
                await running.listen(FileSource(padded, realtime=True), lockstep=False)
    return timed


def _with_quiet(file: Path, target: Path) -> Path:
    """The same recording with a quiet room before and after it."""
    import numpy as np
    import soundfile

    sound, rate = soundfile.read(str(file), dtype="float32", always_2d=True)
    noise = np.random.default_rng(0).normal(0, 1e-4, (int(QUIET_S * rate), sound.shape[1])).astype("f4")
    soundfile.write(str(target), np.concatenate([noise[: rate // 2], sound, noise]), rate)
    return target


def summary(timed: Sequence[TurnTimed]) -> dict[str, Any]:
    """Medians and 95th percentiles of each stage and of the whole, in milliseconds."""
    columns = {name: sorted(getattr(each, name) for each in timed) for name, _ in STAGES}
    columns["total_ms"] = sorted(each.total_ms for each in timed)
    return {
        "turns": len(timed),
        **{name: {"p50": _at(values, 0.5), "p95": _at(values, 0.95)} for name, values in columns.items()},
    }


def _at(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)


def picture(timed: Sequence[TurnTimed]) -> list[str]:
    """The stages one after the other, as a person reads them."""
    found = summary(timed)
    whole = max(sum(found[name]["p50"] for name, _ in STAGES), 1.0)
    lines = [f"From the end of speech to the beginning of the work, {found['turns']} turns, milliseconds", ""]
    lines.append(f"{'':14}{'p50':>7}{'p95':>7}")
    begun = 0.0
    for name, words in STAGES:
        spent = found[name]["p50"]
        left, right = round(begun / whole * WIDTH), round((begun + spent) / whole * WIDTH)
        bar = " " * left + ("█" * (right - left) or "▏")
        lines.append(f"{words:14}{spent:7.0f}{found[name]['p95']:7.0f}  {bar}".rstrip())
        begun += spent
    total = found["total_ms"]
    lines.append(f"{'all':14}{total['p50']:7.0f}{total['p95']:7.0f}")
    return lines
