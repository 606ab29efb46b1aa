"""A word to the session that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

which = click.option("--repo", type=click.Path(), help="The session of this repository; default: the newest.")


def ask(repo: str | None, do: str, **fields: Any) -> dict[str, Any]:
    """Ask the newest session, or that of a repository. Raises `ChildError` no_session."""
    from mybro.ops.rendezvous import ask_once

    return ask_once(do, Path(repo).expanduser().resolve() if repo else None, **fields)
