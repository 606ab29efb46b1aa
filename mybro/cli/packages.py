"""`mybro packages`: what a project asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.packages.manager import Advisory, Outdated
    from mybro.packages.room import Packages

_repo = click.option("--repo", type=click.Path(), help="The project; default: the one you are in.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON.")
_with = click.option(
    "--with", "manager", default="", metavar="NAME", help="uv, npm or cargo, where there are several."
)
_names = click.argument("names", nargs=-1, required=True)


@click.group("packages")
def command() -> None:
    """Add, remove and look after packages, with the tool that the project uses: uv, npm or cargo."""


@command.command("add")
@_repo
@_with
@_names
@click.option("--dev", is_flag=True, help="Only for development.")
@click.option("--anyway", is_flag=True, help="Also what the rules forbid.")
def add(names: tuple[str, ...], dev: bool, anyway: bool, manager: str, repo: str | None) -> None:
    """Add packages."""
    done = _of(repo).change("add", names, dev=dev, manager=manager, anyway=anyway)
    click.echo(f"Added {', '.join(done.names)} with {done.manager}.")


@command.command("remove")
@_repo
@_with
@_names
@click.option("--dev", is_flag=True, help="From those for development.")
def remove(names: tuple[str, ...], dev: bool, manager: str, repo: str | None) -> None:
    """Remove packages."""
    done = _of(repo).change("remove", names, dev=dev, manager=manager)
    click.echo(f"Removed {', '.join(done.names)} with {done.manager}.")


@command.command("upgrade")
@_repo
@_with
@click.argument("names", nargs=-1)
def upgrade(names: tuple[str, ...], manager: str, repo: str | None) -> None:
    """Bring packages, or all of them, to the newest versions that the project allows."""
    done = _of(repo).change("upgrade", names, manager=manager)
    click.echo(f"Upgraded {', '.join(done.names) or 'everything'} with {done.manager}.")


@command.command("check")
@_repo
def check(repo: str | None) -> int:
    """Whether the lock files fit what is asked for; exit status 1 where one does not."""
    stale = _of(repo).unlocked()
    click.echo(f"The lock of {', '.join(stale)} is missing or stale." if stale else "Every lock fits.")
    return 1 if stale else 0


@command.command("outdated")
@_repo
@_json
def outdated(repo: str | None, as_json: bool) -> None:
    """Direct dependencies of which there are newer versions."""
    rows = _of(repo).outdated()
    _tell(rows, [row.sentence() for row in rows], "Everything is up to date.", as_json=as_json)


@command.command("audit")
@_repo
@_json
def audit(repo: str | None, as_json: bool) -> int:
    """Known weaknesses of what is in use; exit status 1 where there are any. Needs the network."""
    rows = _of(repo).audit()
    lines = [
        f"{row.name}: {row.title} ({row.severity}; fixed in {row.fixed_in or 'no version'})" for row in rows
    ]
    _tell(rows, lines, "No weakness is known.", as_json=as_json)
    return 1 if rows else 0


def _of(repo: str | None) -> Packages:
    from mybro.packages.room import Packages
    from mybro.pipeline.session import find_repo

    return Packages(find_repo(repo))


def _tell(rows: Sequence[Outdated | Advisory], lines: Sequence[str], none: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        click.echo("\n".join(lines) or none)
