"""`mybro ptt`: the talk key of the running session, for whatever can run a command."""

from __future__ import annotations

import click

from mybro.cli.reach import ask, which


@click.command("ptt")
@click.argument("key", type=click.Choice(["down", "up", "toggle"]))
@which
def command(key: str, repo: str | None) -> None:
    """Press the running session's talk key, let it go, or change from one to the other.

    For window managers, foot switches and macro pads: listening goes on until "up" or the next "toggle", for
    five minutes at most.
    Exit status 1 where no session runs, or it has no microphone.
    """
    held = ask(repo, "ptt", key=key)["held"]
    click.echo("Listening." if held else "Not listening.")
