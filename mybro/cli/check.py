"""`mybro check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.config import Settings
    from mybro.ops.readiness import Finding

COLOURS = {"ok": "green", "missing": "red", "optional": "yellow"}


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> int:
    """What is ready, and what to do about the rest.

    Each line is OK, MISSING (a session cannot run without it) or OPTIONAL. Exit status: 0 if a session can
    run, 1 if not.
    """
    return report(as_json=as_json)


def report(*, as_json: bool) -> int:
    """Look at this installation and tell; gives the exit status."""
    from mybro.config import load_settings
    from mybro.ops import readiness

    findings = [look() for look in looks(load_settings())]
    if as_json:
        click.echo(json.dumps(readiness.as_json(findings), indent=2))
    else:
        _print(findings)
    return 0 if readiness.ready(findings) else 1


def looks(settings: Settings) -> Iterable[Callable[[], Finding]]:
    """Everything that is looked at, in the order in which it is told."""
    from mybro.audio.keys import watch_trouble
    from mybro.executor.claude.sandbox import tell_sandbox
    from mybro.executor.claude.status import find_claude
    from mybro.ops import readiness
    from mybro.ops.permissions import here

    permissions = here()
    yield readiness.this_machine
    yield readiness.engine
    yield lambda: readiness.settings_file(settings)
    yield readiness.folder_of_data
    yield readiness.git
    if permissions is not None:
        yield lambda: readiness.microphone_access(permissions)
    yield lambda: readiness.judged("microphone", lambda: _microphone(settings))
    yield lambda: readiness.talk_key(settings, readiness.key_trouble(permissions, watch_trouble()))
    yield lambda: readiness.judged("speech model", lambda: _model(settings))
    yield lambda: _voice(settings)
    yield lambda: readiness.coding_session(settings, find_claude(settings.executor))
    yield lambda: readiness.judged("sandbox", lambda: tell_sandbox(settings.executor.sandbox), "optional")
    yield lambda: readiness.api_key(settings)
    yield readiness.key_store


def _microphone(settings: Settings) -> str:
    """The microphone that a session would use. Raises `AudioError`."""
    from mybro.audio.devices import choose_device
    from mybro.cli.first_sound import devices

    return choose_device(devices(), settings.audio.input_device, "input").name


def _model(settings: Settings) -> str:
    """The model that a session would load. Raises `ModelError` or `TranscriptionError`."""
    from mybro.transcribe.choice import setup_for

    return setup_for(settings.transcribe).name


def _voice(settings: Settings) -> Finding:
    from mybro.ops.readiness import Finding
    from mybro.speak.speaker import choose

    chosen = choose(settings.speak)
    if chosen.speaker.name == "text only" and settings.speak.backend != "none":
        return Finding("voice", "optional", chosen.why, "Install espeak-ng, or a Piper voice")
    return Finding("voice", "ok", chosen.why.rstrip("."))


def _print(findings: Iterable[Finding]) -> None:
    found = list(findings)
    width = max(len(finding.name) for finding in found)
    for finding in found:
        state = click.style(f"{finding.state.upper():<8}", fg=COLOURS[finding.state])
        click.echo(f"{state}  {finding.name:<{width}}  {finding.detail}")
        if finding.remedy:
            click.echo(f"{'':<8}  {'':<{width}}  → {finding.remedy}")
