"""`mybro stop`: stop everything in the running session."""

from __future__ import annotations

import click

from mybro.cli.reach import ask, which


@click.command("stop")
@which
def command(repo: str | None) -> None:
    """Stop everything in the running session, as the spoken word does; returns once all work is dead.

    Exit status 1 where no session runs.
    """
    ask(repo, "stop")
    click.echo("Stopped.")
