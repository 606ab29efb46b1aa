"""`mybro demo`: recorded commands mend a small project, for real, with nothing but this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.config import Settings


@click.command("demo")
@click.option("--voice/--no-voice", default=None, help="Speak the answers; default: where there is sound.")
@click.option("--keep", is_flag=True, help="Keep the project afterwards.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.option(
    "--agent/--no-agent", default=None, help="Also let Claude Code do one spoken task; default: ask."
)
def command(voice: bool | None, keep: bool, as_json: bool, agent: bool | None) -> int:
    """Watch recorded spoken commands mend a small project.

    Real speech recognition and real work in a temporary repository; no keys, no network, no microphone.
    Exit status: 0 where every command was understood and carried out.
    """
    folder = Path(tempfile.mkdtemp(prefix="mybro-demo-"))
    # What is said here is none of the person's own history.
    os.environ["MYBRO_DATA_DIR"] = str(folder / "data")
    try:
        return asyncio.run(_demo(folder / "shop", voice=voice, as_json=as_json, agent=agent))
    finally:
        if keep:
            click.echo(f"The project is in {folder / 'shop'}", err=as_json)
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _demo(repo: Path, *, voice: bool | None, as_json: bool, agent: bool | None) -> int:
    from mybro.audio.files import FileSource
    from mybro.config import load_settings
    from mybro.demo import COMMANDS, RECORDINGS, TASK, Score, build_project
    from mybro.pipeline.session import session
    from mybro.terminal.view import choose_view

    build_project(repo)
    # The same on every machine: the packaged model, and no language model but the coding session's own.
    flags = {"brain": {"provider": "none"}, "transcribe": {"backend": "faster-whisper", "model": "tiny.en"}}
    settings = load_settings({**flags, "speak": {"notify": False}})
    view = choose_view(json=as_json, is_tty=sys.stdout.isatty())
    score = Score()
    try:
        async with session(settings, repo, (view.show, score.watch), ears=True, voice=voice) as running:
            for name in COMMANDS:
                await running.listen(FileSource(RECORDINGS / f"{name}.flac"), lockstep=True)
            if await _wants_agent(agent, settings):
                await running.listen(FileSource(RECORDINGS / f"{TASK}.flac"), lockstep=True)
    finally:
        view.close()
    missed = score.missed(len(COMMANDS))
    if not as_json:
        click.echo(_verdict(missed))
    return 1 if missed else 0


def _verdict(missed: int) -> str:
    if missed:
        return f"{missed} of the spoken commands were not carried out."
    return "That is all it takes. Next: `mybro setup`, then `mybro run` in a repository of yours."


async def _wants_agent(agent: bool | None, settings: Settings) -> bool:
    """Whether to let Claude Code do a task: it may cost a few cents, so nobody is surprised by it."""
    from mybro.cli.ask import read_line
    from mybro.executor.claude.status import claude_status

    if agent is not None:
        return agent
    if not sys.stdin.isatty() or claude_status(settings.executor).problem is not None:
        return False
    click.echo("Claude Code is signed in. Let it do one spoken task for a few cents? [y/N] ", nl=False)
    return (await read_line()).lower() in ("y", "yes")
