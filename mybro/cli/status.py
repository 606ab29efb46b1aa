"""`mybro status`: what the running session does."""

from __future__ import annotations

import json

import click

from mybro.cli.reach import ask, which


@click.command("status")
@which
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(repo: str | None, as_json: bool) -> None:
    """Say what the running session does.

    Exit status 1 where no session runs.
    """
    found = ask(repo, "status")
    click.echo(json.dumps(found) if as_json else found["says"])
