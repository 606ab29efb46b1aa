"""`mybro replay`: one sentence's whole way again."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mybro.cli import history_text as text
from mybro.cli.history import archive, number
from mybro.errors import JournalError
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE, AudioBlock

if TYPE_CHECKING:
    from mybro.journal import EventRecord, UtteranceRecord


async def _play(audio: AudioBlock) -> None:
    """Play a recording to its end on the loudspeaker of the settings. Raises `AudioError`."""
    from mybro.audio.playback import DevicePlayer
    from mybro.audio.sound import SoundProcess
    from mybro.config import load_settings

    process = SoundProcess()
    try:
        playback = await DevicePlayer(process, load_settings().audio.output_device).play(SAMPLE_RATE)
        await playback.write(audio.pcm)
        await playback.finish()
    finally:
        await process.aclose()


async def _rehear(audio: AudioBlock) -> str:
    """What the recogniser of the settings hears in a recording. Raises the recogniser's errors."""
    from mybro.cli.downloads import downloads
    from mybro.config import load_settings
    from mybro.models.hub import fetcher
    from mybro.transcribe.service import Transcription

    transcription = Transcription(load_settings().transcribe)
    try:
        with downloads(one_line=True) as report:
            await transcription.start(fetcher(report))
        heard = await transcription.transcribe(1, 1, audio)
    finally:
        await transcription.aclose()
    return heard.text if heard is not None else ""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a replay needs of other rooms; another one may be given as click's context object."""

    play: Callable[[AudioBlock], Awaitable[None]] = _play
    rehear: Callable[[AudioBlock], Awaitable[str]] = _rehear


@click.command("replay")
@click.argument("utterance", callback=number, metavar="ID")
@click.option("--play", is_flag=True, help="Play its recording.")
@click.option("--wav", type=click.Path(dir_okay=False), metavar="FILE", help="Write its recording.")
@click.option("--transcribe", is_flag=True, help="Hear it again with the recogniser of the settings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(
    ctx: click.Context, utterance: int, play: bool, wav: str | None, transcribe: bool, as_json: bool
) -> None:
    """Show a sentence's way again: what was heard, understood and done, and how long each took.

    ID is the number that `mybro history` shows.
    """
    if not text.journal_file().exists():
        raise JournalError("no_such_utterance", f"there is no #{utterance}: nothing has been said yet")
    asyncio.run(_replay(ctx.find_object(Ports) or Ports(), utterance, play, wav, transcribe, as_json))


async def _replay(
    ports: Ports, utterance: int, play: bool, wav: str | None, transcribe: bool, as_json: bool
) -> None:
    async with archive() as journal:
        found = await journal.utterance(utterance)
        events = await journal.events(utterance)
        audio = await journal.recording(found) if play or wav or transcribe else None
    heard = await ports.rehear(audio) if audio is not None and transcribe else None
    if as_json:
        click.echo(json.dumps(_as_json(found, events, heard), indent=2))
    else:
        _show(found, events, heard)
    if audio is not None and wav:
        _write_wav(Path(wav), audio)
    if audio is not None and play:
        await ports.play(audio)


def _write_wav(path: Path, audio: AudioBlock) -> None:
    try:
        with path.open("wb") as file, wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(BYTES_PER_SAMPLE)
            sound.setframerate(SAMPLE_RATE)
            sound.writeframes(audio.pcm)
    except OSError as error:
        raise JournalError("cannot_write", f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"{path}: {audio.seconds:.1f} s", err=True)


def _as_json(found: UtteranceRecord, events: Sequence[EventRecord], heard: str | None) -> dict[str, Any]:
    plain = text.as_json(found) | {"events": [asdict(event) for event in events], "stages_s": stages(events)}
    return plain | ({"heard_now": heard} if heard is not None else {})


def _show(found: UtteranceRecord, events: Sequence[EventRecord], heard: str | None) -> None:
    click.secho(f"#{found.id}  {text.iso(found.said)}  {text.line(found.repo)}", bold=True)
    click.echo(text.line(found.text) or "(no words)")
    if heard is not None:
        same = " (the same)" if text.line(heard).casefold() == text.line(found.text).casefold() else ""
        click.echo(f"heard now: {text.line(heard) or '(no words)'}{same}")
    click.echo()
    first: EventRecord | None = None
    for event in events:
        told = tell(event)
        if told is None:
            continue
        if first is None or first.session != event.session:
            if first is not None:
                click.echo("           taken up again in another session")
            first = event
        click.echo(f"{event.at - first.at:+8.2f} s  {told}")
    if taken := stages(events):
        words = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in taken.items())
        click.echo(f"\nafter the last sound: {words}" if found.source == "voice" else f"\nafter it: {words}")
    elif not events:
        click.echo(f"{text.came_of(found)}; nothing else was logged")


_STAGES = {
    "Transcript": "words",
    "Understood": "intent",
    "JobStarted": "work began",
    "JobFinished": "result",
    "JobFailed": "failure",
    "JobStopped": "stop",
}


def stages(events: Sequence[EventRecord]) -> dict[str, float]:
    """Seconds from the end of speech (or from the typed sentence) to each stage, where it was reached."""
    begin = next((event for event in events if event.name in ("SpeechEnded", "Typed")), None)
    reached: dict[str, float] = {}
    for event in events if begin is not None else ():
        assert begin is not None  # noqa: S101
        stage = _STAGES.get(event.name)
        later = event.session == begin.session and event.seq > begin.seq
        if stage and stage not in reached and later and event.body.get("final", True):
            reached[stage] = round(event.at - begin.at, 4)
    return reached


def tell(event: EventRecord) -> str | None:  # noqa: C901 - one flat table
    """An event as a line for a person; None for one that is of no interest."""
    body = event.body
    match event.name:
        case "SpeechStarted":
            return "speech began"
        case "SpeechEnded":
            samples = body["utterance"]["audio"]["samples"]
            return f"speech ended ({body['reason']}; {samples / SAMPLE_RATE:.1f} s of sound)"
        case "Typed":
            return "typed"
        case "Transcript" if body["final"]:
            how = f" ({body['model']}, {body['processing_ms']:.0f} ms)" if body["processing_ms"] else ""
            return f"heard: {text.line(body['text']) or '(no words)'}{how}"
        case "Understood" | "Recalled":
            intent = body["intent"]
            return f"understood: {intent.get('action') or intent['kind']}, by {intent['source']}"
        case "JobStarted":
            return f"began: {text.line(body['title'])}"
        case "JobProgressed":
            return f"  {text.line(body['text'])}"
        case "JobAsked":
            return f"asked: {text.line(body['text'])}"
        case "Answered":
            return f"answered: {'yes' if body['yes'] else 'no'}, by {body['by']}"
        case "JobFinished":
            return f"done: {text.line(body['outcome']['summary'])}"
        case "JobFailed" | "TranscriptionFailed" | "RecordingFailed":
            return f"failed: {text.line(body['problem']['message'])}"
        case "JobStopped":
            return "stopped"
        case "SayStarted":
            return f"said: {text.line(body['text'])}"
    return None
