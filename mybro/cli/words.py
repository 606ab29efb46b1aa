"""`mybro words`: the person's own words."""

from __future__ import annotations

import json

import click


@click.group("words", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Names and words that mybro has learned to write as you mean them.

    Say "that was wrong, it is X" after a sentence that was misheard, or use `mybro words add`.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool = False) -> None:
    """What is heard, and what is written instead."""
    from mybro.config import load_settings
    from mybro.transcribe.own_words import learned

    known, given = learned(), load_settings().words.replacements
    if as_json:
        click.echo(json.dumps({"learned": known, "settings": given}, ensure_ascii=False))
        return
    for heard, written in known.items():
        click.echo(f"{heard}  →  {written}")
    for heard, written in given.items():
        click.echo(f"{heard}  →  {written}  {click.style('from the settings', fg='cyan')}")
    if not (known or given):
        click.echo('Nothing yet. Say "that was wrong, it is X" after a misheard sentence.')


@command.command("add")
@click.argument("heard")
@click.argument("written")
def add(heard: str, written: str) -> None:
    """Write WRITTEN wherever HEARD is heard."""
    from mybro.transcribe.own_words import keep, learned

    key = " ".join(heard.lower().split())
    if not key or not written.strip():
        raise click.UsageError("both HEARD and WRITTEN need a word")
    keep({**learned(), key: written})
    click.echo(f"{key}  →  {written}")


@command.command("forget")
@click.argument("heard", required=False)
@click.option("--all", "everything", is_flag=True, help="All that was learned.")
def forget(heard: str | None, everything: bool) -> int:
    """Go back to writing HEARD as it is heard."""
    from mybro.transcribe.own_words import keep, learned

    known = learned()
    if everything == (heard is not None):
        raise click.UsageError("name what was heard, or say --all")
    if heard is None:
        keep({})
        click.echo(f"forgotten: {len(known)}")
        return 0
    key = " ".join(heard.lower().split())
    gone = [word for word in known if key in (word, known[word].lower())]
    if not gone:
        click.echo(f"{heard} was not learned: see mybro words", err=True)
        return 1
    keep({word: means for word, means in known.items() if word not in gone})
    click.echo(f"forgotten: {', '.join(gone)}")
    return 0
