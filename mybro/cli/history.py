"""`mybro history`: what was said, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mybro.cli import history_text as text
from mybro.cli.history_forget import forget

if TYPE_CHECKING:
    from mybro.journal import Archive, DayCost, Deletion, JobCost, SessionCost, UtteranceRecord

PAGE = 200
"""Utterances read at a time for an export."""
MAX_DIGITS = 18
"""What SQLite's integers hold."""


def span(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """A length of time, in seconds."""
    try:
        return None if value is None else text.span_s(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no length of time: write 30m, 12h, 2d or 1w") from None


def number(_ctx: click.Context, _parameter: click.Parameter, value: str) -> int:
    """An utterance's number, with or without its #."""
    digits = value.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > MAX_DIGITS:
        raise click.BadParameter(f"{value!r} is no number that `mybro history` shows")
    return int(digits)


def numbers(ctx: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[int, ...]:
    return tuple(number(ctx, parameter, value) for value in values)


class History(click.Group):
    """A group whose first word may be left out: `mybro history 50 --failed` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[N] [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS]")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands["list"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group("history", cls=History)
def command() -> None:
    """What was said, what it was understood as, and what came of it; the newest last."""


@contextlib.asynccontextmanager
async def archive() -> AsyncIterator[Archive]:
    """The journal, or a `JournalError`. That a damaged one was set aside goes to stderr."""
    from mybro.config import load_settings
    from mybro.journal import Archive

    opened = await Archive.open(settings=load_settings().journal)
    try:
        if opened.notice is not None:
            click.echo(f"mybro: {opened.notice.line()}", err=True)
        yield opened
    finally:
        await opened.aclose()


def _run(work: Callable[[], Coroutine[Any, Any, int | None]], if_empty: int = 0) -> int:
    """Run against the journal, if there is one: to look must not create it."""
    if not text.journal_file().exists():
        click.echo("Nothing has been said yet.", err=True)
        return if_empty
    return asyncio.run(work()) or 0


# ---------------------------------------------------------------------------- list


@command.command("list")
@click.argument("count", type=click.IntRange(min=1, max=10_000), default=20, metavar="[N]")
@click.option("--repo", type=click.Path(), help="Only what was said about this repository.")
@click.option("--search", metavar="WORDS", default="", help="Only where all of these words occur.")
@click.option("--since", callback=span, metavar="TIME", help="Only what is newer: 30m, 12h, 2d, 1w.")
@click.option("--failed", is_flag=True, help="Only what failed or was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(
    count: int, repo: str | None, search: str, since: float | None, failed: bool, as_json: bool
) -> int:  # fmt: skip
    """The newest N utterances (20); the default."""

    async def work() -> None:
        from mybro.journal import Filter

        wanted = Filter(
            search=search,
            repo=_repo(repo) if repo else None,
            since=time.time() - since if since is not None else None,
            failed=failed,
        )
        async with archive() as journal:
            found = await journal.recent(count, wanted)
        _show(found[::-1], as_json=as_json)

    return _run(work)


def _repo(path: str) -> str:
    """The repository around a folder, in the form in which the journal keeps it."""
    from mybro.journal.codec import path_text

    start = Path(path).expanduser().resolve()
    top = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)
    return path_text(top)


def _show(found: Sequence[UtteranceRecord], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            click.echo(json.dumps(text.as_json(each)))
    elif not found:
        click.echo("Nothing to show.", err=True)
    elif sys.stdout.isatty():
        _show_table(found)
    else:
        for each in found:
            cells = (f"#{each.id}", text.iso(each.said), *_cells(each))
            click.echo("\t".join(cells))


def _cells(each: UtteranceRecord) -> tuple[str, str, str, str]:
    cost = text.money(each.cost_usd)
    return text.line(each.text), text.understood(each.intent), text.came_of(each), cost


def _show_table(found: Sequence[UtteranceRecord]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right", no_wrap=True, style="cyan")
    table.add_column("when", no_wrap=True, style="dim")
    table.add_column("said", ratio=3)
    table.add_column("understood", ratio=2)
    table.add_column("what came of it", ratio=3)
    table.add_column("cost", justify="right", no_wrap=True)
    now = time.time()
    for each in found:
        said, understood, came, cost = _cells(each)
        bad = each.state in ("failed", "interrupted") or any(not job.ok for job in each.jobs)
        table.add_row(
            f"#{each.id}",
            text.when(each.said, now),
            Text(said),
            Text(understood),
            Text(came, style="red" if bad else ""),
            cost,
        )
    Console().print(table)


# ---------------------------------------------------------------------------- show


@command.command("show")
@click.argument("utterance", callback=number, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(utterance: int, as_json: bool) -> int:
    """All that is kept of one utterance."""

    async def work() -> None:
        async with archive() as journal:
            found = await journal.utterance(utterance)
        if as_json:
            click.echo(json.dumps(text.as_json(found), indent=2))
        else:
            for row in text.details(found):
                click.echo(row)

    return _run(work, if_empty=1)


# ---------------------------------------------------------------------------- delete


@command.command("costs")
@click.option(
    "--by", type=click.Choice(["day", "session", "job"]), default="day", help="What to add up by (day)."
)
@click.option("--since", callback=span, default="30d", metavar="TIME", help="How far back: 12h, 2d (30d).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def costs(by: str, since: float, as_json: bool) -> int:
    """What coding sessions cost: money, tokens and time, by day, session or job."""

    async def work() -> None:
        from mybro.cli.history_costs import as_line

        first = time.time() - since
        async with archive() as journal:
            found: Sequence[DayCost | SessionCost | JobCost] = []
            match by:
                case "day":
                    found = await journal.costs(first)
                case "session":
                    found = await journal.session_costs(first)
                case _:
                    found = await journal.job_costs(first)
            if not found:
                click.echo("Nothing has cost anything in that time.", err=True)
            for cost in found:
                click.echo(json.dumps(dataclasses.asdict(cost)) if as_json else as_line(cost))

    return _run(work)


@command.command("delete")
@click.argument("utterances", callback=numbers, nargs=-1, metavar="ID…")
@click.option("--all", "everything", is_flag=True, help="Everything, costs too.")
@click.option("--older-than", callback=span, metavar="TIME", help="What was said before: 30d, 12w.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(utterances: tuple[int, ...], everything: bool, older_than: float | None, yes: bool) -> int:
    """Delete for good: words, recordings, events, and every copy of them, also in the page's own tables.

    What it cost stays in the totals.
    """
    if bool(utterances) + everything + (older_than is not None) != 1:
        raise click.UsageError("name what to delete: numbers, --older-than or --all")
    before = time.time() - older_than if older_than is not None else None
    what = "everything" if everything else "what is older" if older_than is not None else _list(utterances)

    async def work() -> int:
        async with archive() as journal:
            done = await forget(journal, utterances, before, everything=everything)
        return _report(done)

    if not text.journal_file().exists():
        return _run(work)
    if not yes and not click.confirm(f"Delete {what}, with recordings? This cannot be undone."):
        click.echo("Nothing was deleted.")
        return 1
    return _run(work)


def _report(done: Deletion) -> int:
    click.echo(f"Deleted: {done.deleted}.")
    if done.missing:
        click.echo(f"mybro: there is no {_list(done.missing)}", err=True)
    if done.busy:
        click.echo(f"mybro: still being worked on, left alone: {_list(done.busy)}", err=True)
    for path in done.left_over:
        click.echo(f"mybro: may still hold some of the words: {path}", err=True)
    return 1 if done.missing or done.busy or done.left_over else 0


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(f"#{number}" for number in numbers)


@command.command("export")
@click.option("--json", is_flag=True, expose_value=False, help="JSON lines: the only form there is.")
def export() -> int:
    """Everything, with every event: one JSON object a line, oldest first."""

    async def work() -> None:
        async with archive() as journal:
            async for each in _everything(journal):
                click.echo(json.dumps(each))

    return _run(work)


async def _everything(journal: Archive) -> AsyncIterator[dict[str, Any]]:
    import dataclasses

    from mybro.journal import Filter

    after = 0
    while page := await journal.recent(PAGE, Filter(after=after, wordless=True)):
        for each in page:
            events = [dataclasses.asdict(event) for event in await journal.events(each.id)]
            yield text.as_json(each) | {"events": events}
        after = page[-1].id
