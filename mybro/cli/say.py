"""`mybro say`: do what a typed sentence says."""

from __future__ import annotations

import functools
import json
import os
import sys
from typing import TYPE_CHECKING

import click

from mybro.quick import TAKEN

if TYPE_CHECKING:
    from mybro.config import Settings


@click.command("say")
@click.argument("words", nargs=-1, required=True, metavar="TEXT")
@click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines; with --dry-run, the intent alone.")
@click.option(
    "--yes", "-y", is_flag=True, help="Answer yes to whatever is asked, unless it destroys something."
)
@click.option("--speak", is_flag=True, help="Speak the answers, too.")
@click.option("--session", is_flag=True, help="Hand it to the newest session, whatever its repository.")
@click.option("--here", is_flag=True, help="Do it here, also where a session is running.")
def command(
    words: tuple[str, ...], repo: str | None, dry_run: bool, as_json: bool, yes: bool, speak: bool,
    session: bool, here: bool,
) -> int:  # fmt: skip
    """Do what TEXT says, as if it had been spoken.

    Where a session of this repository is running, it gets TEXT, and this returns at once; with --here, or an
    option that asks for more, it is done here.
    Exit status: 0 done, 1 it failed or was not allowed, 2 wrong usage.
    """
    text = " ".join(words).strip()
    if not text:
        raise click.UsageError("there is nothing to do: TEXT is empty")
    if session:
        return _hand_over(text, repo, as_json=as_json)
    if not (here or dry_run or as_json or yes or speak) and _taken(text, repo):
        return 0
    import asyncio

    from mybro.config import load_settings

    settings = load_settings({} if speak else {"speak": {"backend": "none", "notify": False}})
    if dry_run:
        return asyncio.run(_dry_run(settings, text, as_json=as_json))
    return asyncio.run(_say(settings, text, repo, as_json=as_json, yes=yes))


def _hand_over(text: str, repo: str | None, *, as_json: bool) -> int:
    from mybro.cli.reach import ask

    taken = ask(repo, "say", text=text)
    click.echo(json.dumps(taken) if as_json else TAKEN)
    return 0


def _taken(text: str, repo: str | None) -> bool:
    """Whether a running session of the repository has it now."""
    from mybro.errors import ChildError
    from mybro.ops.rendezvous import SOCKET_VARIABLE, ask_once
    from mybro.pipeline.session import find_repo

    if SOCKET_VARIABLE in os.environ:
        return False  # what a session has started does not speak for the person unasked
    try:
        ask_once("say", find_repo(repo), text=text)
    except ChildError as error:
        if error.code == "no_session":
            return False
        raise
    click.echo(TAKEN)
    return True


async def _dry_run(settings: Settings, text: str, *, as_json: bool) -> int:
    from mybro.pipeline.feed import understand

    intent = await understand(settings, text)
    if as_json:
        click.echo(intent.model_dump_json())
        return 0
    what = " ".join(filter(None, (intent.kind, intent.action, intent.target)))
    given = {name: value for name, value in intent.arguments.model_dump().items() if value is not None}
    click.echo(f"{what} ({intent.risk}{', needs a yes' if intent.needs_confirmation else ''})")
    if given:
        click.echo(json.dumps(given))
    return 0


async def _say(settings: Settings, text: str, repo: str | None, *, as_json: bool, yes: bool) -> int:
    from mybro.cli.ask import decide
    from mybro.pipeline.session import find_repo, say
    from mybro.terminal.view import choose_view

    view = choose_view(json=as_json, is_tty=sys.stdout.isatty())
    try:
        good = await say(settings, find_repo(repo), text, view.show, functools.partial(decide, yes=yes))
    finally:
        view.close()
    return 0 if good else 1
