"""A word to the session that runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

which = click.option("--repo", type=click.Path(), help="The session of this repository; default: the newest.")


def ask(repo: str | None, do: str) -> dict[str, Any]:
    """Ask the newest session, or that of a repository. Raises `ChildError` no_session."""
    from mybro.ops.rendezvous import reach

    place = Path(repo).expanduser().resolve() if repo else None

    async def talk() -> dict[str, Any]:
        line = await reach(place)
        try:
            return await line.ask(do)
        finally:
            await line.aclose()

    return asyncio.run(talk())
