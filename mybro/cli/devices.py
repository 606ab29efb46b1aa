"""`mybro devices`: microphones and loudspeakers."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import click


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(as_json: bool) -> None:
    """List microphones and loudspeakers. Exit status 1 where there are none to be had."""
    asyncio.run(_list(as_json))


async def _list(as_json: bool) -> None:
    from mybro.audio.sound import SoundProcess

    process = SoundProcess()
    try:
        for device in await process.devices():
            fields = dataclasses.asdict(device)
            click.echo(json.dumps(fields) if as_json else "  ".join(f"{k}: {v}" for k, v in fields.items()))
    finally:
        await process.aclose()
