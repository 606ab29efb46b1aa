"""`mybro hear`: audio through ear, transcription and brain; nothing is done."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import click

WIDTH = 9


@click.command("hear")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--realtime", is_flag=True, help="Play at the speed of speech, not as fast as possible.")
@click.option(
    "--stt",
    metavar="NAME",
    help="Recogniser: faster-whisper, mlx-whisper, sherpa-onnx, parakeet-mlx or openai.",
)
@click.option("--model", metavar="NAME", help="A speech model that `mybro models list` shows, or a folder.")
@click.option("--vad", type=click.Choice(["silero", "webrtc", "silero+webrtc"]), help="What judges speech.")
@click.option("--language", metavar="CODE", help="ISO 639-1, or auto.")
@click.option("--repo", type=click.Path(), help="Know the names of this repository.")
def command(
    files: tuple[str, ...], as_json: bool, realtime: bool,
    stt: str | None, model: str | None, vad: str | None, language: str | None, repo: str | None,
) -> None:  # fmt: skip
    """Show what is heard in recordings (WAV, FLAC, OGG, MP3; any rate), and what it would mean.

    FILE may be "-" for raw 16-bit mono sound at 16 kHz on standard input. Nothing is done with it. A
    model that is not on this machine is fetched first.
    """
    from mybro.config import load_settings

    flags: dict[str, Any] = {
        "transcribe": _given(backend=stt, model=model, language=language),
        "audio": _given(vad=vad),
    }
    where = _place(repo)
    asyncio.run(_hear(files, load_settings(flags), where, as_json=as_json, realtime=realtime))


def _place(repo: str | None) -> Path | None:
    if repo is None:
        return None
    from mybro.pipeline.session import find_repo

    return find_repo(repo)


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


async def _hear(
    files: tuple[str, ...], settings: Any, repo: Path | None, *, as_json: bool, realtime: bool
) -> None:
    from mybro.cli.downloads import downloads
    from mybro.models.hub import fetcher
    from mybro.pipeline.feed import hear, open_source

    sources = [open_source(name, realtime=realtime) for name in files]
    tell = _show_json if as_json else _show_plain

    def show(line: dict[str, Any]) -> None:
        # A reader who has left, as `head` does, is no fault of the pipeline's.
        with contextlib.suppress(BrokenPipeError):
            tell(line)

    with downloads(one_line=True) as report:
        await hear(settings, sources, show, lockstep=not realtime, fetch=fetcher(report), repo=repo)


def _show_json(line: dict[str, Any]) -> None:
    click.echo(json.dumps(line))


def _show_plain(line: dict[str, Any]) -> None:
    at = click.style(f"{line['t']:{WIDTH}.2f} s  ", dim=True)
    match line["event"]:
        case "SourceOpened":
            click.echo(click.style(line["name"], bold=True))
        case "SourceTroubled":
            click.echo(f"{at}{line['problem']['message']}", err=True)
        case "Transcript" if line["final"]:
            click.echo(at + (line["text"] or click.style("(no words)", dim=True)))
            if line.get("heard"):
                click.echo(click.style(f"{'':{WIDTH}}     heard: {line['heard']}", dim=True))
        case "Intent":
            intent = line["intent"]
            what = " ".join(filter(None, (intent["kind"], intent["action"], intent["target"])))
            click.echo(f"{'':{WIDTH}}     → {click.style(what, fg='cyan')}, {intent['risk']}")
