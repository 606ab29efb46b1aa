"""`mybro voice`: the voice that `audio.own_voice_only` listens to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.config import Settings

WAIT_S = 20.0
SENTENCES = (
    "Open the pull request and show me what changed in it.",
    "Rename this function, then run all of the tests again.",
    "Please explain why the build was so slow this morning.",
)


@click.group("voice", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Your voice, told from others: with audio.own_voice_only, what somebody else says is not done, apart
    from a stop.

    Kept on this machine, as numbers and not as sound.
    """
    if ctx.invoked_subcommand is not None:
        return
    from mybro.audio.own_voice import kept
    from mybro.config import load_settings

    on = load_settings().audio.own_voice_only
    click.echo("A voice is enrolled." if kept() else "No voice is enrolled: mybro voice enrol")
    click.echo(f"audio.own_voice_only is {'on' if on else 'off: mybro config set audio.own_voice_only true'}")


@command.command("enrol")
@click.argument("files", nargs=-1, metavar="[FILE…]")
def enrol(files: tuple[str, ...]) -> None:
    """Learn your voice: three sentences into the microphone, or recordings of yours."""
    from mybro.audio import own_voice
    from mybro.audio.voice_model import VoiceModel
    from mybro.config import load_settings

    model = VoiceModel.load()
    spoken = [_recorded(name) for name in files] if files else _spoken(load_settings())
    own_voice.keep(own_voice.enrol(model, spoken))
    click.echo("Enrolled. To hear this voice alone: mybro config set audio.own_voice_only true")


@command.command("forget")
def forget() -> int:
    """Delete what is known of your voice."""
    from mybro.audio import own_voice

    if own_voice.forget():
        click.echo("forgotten")
        return 0
    click.echo("no voice is enrolled", err=True)
    return 1


def _spoken(settings: Settings) -> list[bytes]:
    from mybro.cli.first_sound import listen_once
    from mybro.errors import AudioError

    found = []
    for sentence in SENTENCES:
        pcm = listen_once(settings, WAIT_S, partial(click.echo, f'Say: "{sentence}"'))
        if pcm is None:
            raise AudioError(
                "nothing_heard", "nobody spoke", hint="Check the microphone: mybro devices --test"
            )
        found.append(pcm)
    return found


def _recorded(name: str) -> bytes:
    import asyncio

    from mybro.audio.files import FileSource
    from mybro.events import AudioBlock

    async def read() -> bytes:
        blocks = [block async for block in FileSource(name).blocks()]
        return b"".join(block.pcm for block in blocks if isinstance(block, AudioBlock))

    return asyncio.run(read())
