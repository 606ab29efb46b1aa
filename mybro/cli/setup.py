"""`mybro setup`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.cli.setup_steps import Large
    from mybro.config import Settings
    from mybro.ops.onboarding import Step


class TerminalDesk:
    """Asks on the terminal; where nobody is there, every answer is the default."""

    def __init__(self, *, attended: bool) -> None:
        self.attended = attended

    def say(self, line: str) -> None:
        click.echo(line)

    def ask(self, question: str, default: str = "") -> str:
        if not self.attended:
            return default
        answer: str = click.prompt(f"      {question}", default=default, show_default=bool(default))
        return answer.strip()

    def ask_secret(self, question: str) -> str:
        if not self.attended:
            return ""
        answer: str = click.prompt(f"      {question}", default="", show_default=False, hide_input=True)
        return answer.strip()


@click.command("setup")
@click.option("--only", multiple=True, metavar="STEP", help="Take this step, even if it was done before.")
@click.option("--skip", multiple=True, metavar="STEP", help="Leave this step out.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing; take every default.")
@click.option("--again", is_flag=True, help="Take all steps, those that are done, too.")
def command(only: tuple[str, ...], skip: tuple[str, ...], yes: bool, again: bool) -> int:
    """From nothing to a spoken command that worked.

    Steps: permissions, microphone, talk-key, claude, key, model, try. Each can be skipped, and the walk goes
    on where it was left. Without a terminal nothing is asked.
    """
    from mybro.config import load_settings
    from mybro.ops.onboarding import Progress, choose, walk

    settings = load_settings()
    chosen = choose(steps(settings), only, skip)
    desk = TerminalDesk(attended=not yes and sys.stdin.isatty() and sys.stdout.isatty())
    progress = Progress()
    try:
        good = walk(chosen, desk, progress, anew=again or bool(only))
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nmybro setup goes on from here.", err=True)
        raise
    if good:
        click.echo('Ready. In a repository: mybro run   (or, typed: mybro say "run the tests")')
        return 0
    click.echo("Not everything is ready: mybro check tells what, and mybro setup goes on from here.")
    return 1


def steps(settings: Settings) -> list[Step]:
    """All steps, wired to this machine."""
    from mybro.audio.keys import watch_trouble, wrong_key
    from mybro.cli import first_sound
    from mybro.cli.setup_steps import MicrophoneStep, ModelStep, TryStep, fetch_in_background
    from mybro.config import load_settings
    from mybro.executor.claude.status import find_claude
    from mybro.ops import readiness
    from mybro.ops.onboarding_steps import (
        ClaudeStep,
        KeyStep,
        PermissionsStep,
        TalkKeyStep,
    )
    from mybro.ops.permissions import here

    permissions = here()
    return [
        PermissionsStep(settings, permissions),
        MicrophoneStep(settings, devices=first_sound.devices, measure=first_sound.measure),
        TalkKeyStep(
            settings, trouble=lambda: readiness.key_trouble(permissions, watch_trouble()), wrong=wrong_key
        ),
        ClaudeStep(settings, lambda: find_claude(settings.executor)),
        KeyStep(settings),
        ModelStep(small=lambda: _small(settings), large=lambda: _large(settings), fetch=fetch_in_background),
        # The steps before it may have changed the settings.
        TryStep(lambda wait_s, listening: first_sound.hear_once(load_settings(), wait_s, listening)),
    ]


def _small(settings: Settings) -> str:
    """Make the small model ready. Raises `ModelError`."""
    from mybro.models import resolve
    from mybro.models.catalogue import WHISPER
    from mybro.models.package import PACKAGED
    from mybro.transcribe.choice import backend_for, recommended

    backend = backend_for(settings.transcribe.backend)
    if backend == "openai":
        return "a server, as set"
    small = PACKAGED if backend in WHISPER else recommended(backend, settings.transcribe.language)
    return resolve(backend, small).model.name


def _large(settings: Settings) -> Large | None:
    """The model to fetch: on Apple silicon, where it runs as fast as one speaks, unless one is set."""
    from mybro.cli.setup_steps import Large
    from mybro.models import find, named
    from mybro.transcribe.choice import backend_for, recommended

    backend = backend_for(settings.transcribe.backend)
    if backend != "mlx-whisper" or settings.transcribe.model != "auto":
        return None
    model = named(backend, recommended(backend, settings.transcribe.language))
    megabytes = model.bytes_about // 1_000_000 if model.bytes_about else None
    return Large(backend, model.name, megabytes, here=find(model) is not None)
