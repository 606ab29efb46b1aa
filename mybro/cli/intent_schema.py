"""`mybro intent-schema`."""

from __future__ import annotations

import json

import click

from mybro.intent import intent_schema


@click.command("intent-schema")
def command() -> None:
    """Print the JSON schema (2020-12) of an intent, as `mybro say --dry-run --json` prints one."""
    click.echo(json.dumps(intent_schema(), indent=2))
