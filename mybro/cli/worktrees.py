"""`mybro worktrees`: the working trees of sessions beside your own."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.executor.worktrees import Worktrees

_repo = click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")


@click.group("worktrees", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Working trees in which sessions work beside your own: `mybro run --worktree parser` makes one.

    Each lies outside the repository and has a branch mybro/NAME. Without a command: list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@command.command("list")
@_repo
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(repo: str | None = None, as_json: bool = False) -> None:
    """List them, with what they hold that is nowhere else."""
    trees = _of(repo).all()
    if not trees:
        click.echo("There is none: mybro run --worktree NAME makes one.", err=True)
    for tree in trees:
        if as_json:
            click.echo(json.dumps({**asdict(tree), "path": str(tree.path)}))
        else:
            click.echo(f"{tree.name}  {tree.held}  {tree.path}")


@command.command("merge")
@_repo
@click.argument("name")
def merge(name: str, repo: str | None) -> int:
    """Bring what was done there into your own working tree, and remove it; "undo that" takes the merge back.

    Exit status 1 where both sides changed the same lines: then nothing is merged.
    """
    merged = _of(repo).merge(name)
    if merged.conflicts:
        click.echo(f"Not merged: you and {name} both changed {', '.join(merged.conflicts)}.", err=True)
        return 1
    click.echo(f"Merged {name}, {merged.words}.")
    if merged.shown:
        click.echo(merged.shown)
    return 0


@command.command("remove")
@_repo
@click.argument("name")
@click.option("--force", is_flag=True, help="Also where it holds what is nowhere else.")
def remove(name: str, repo: str | None, force: bool) -> None:
    """Remove one and its branch."""
    kept = _of(repo).remove(name, force=force)
    click.echo(f"Removed {name}." + (f" What git ignores there is kept in {kept}" if kept else ""))


def _of(repo: str | None) -> Worktrees:
    from mybro.executor.worktrees import Worktrees
    from mybro.pipeline.session import find_repo

    return Worktrees(find_repo(repo))
