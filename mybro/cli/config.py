"""`mybro config`."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import CompletionItem


def _complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mybro.ops import settings_file

    return [
        CompletionItem(str(name), help=name.field.description)
        for name in settings_file.names()
        if str(name).startswith(incomplete)
    ]


NAME = click.argument("name", shell_complete=_complete)


@click.group("config", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show and change the settings.

    A setting comes from a command's options, else the environment (MYBRO_SPEAK__VOLUME=0.5), else the file,
    else its default. Secrets are never in the file: they stay in the keychain or the environment.
    """
    if ctx.invoked_subcommand is None:
        _show(as_json=as_json)


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(as_json: bool) -> None:
    """Every setting, its value, and where that comes from."""
    _show(as_json=as_json)


def _show(*, as_json: bool) -> None:
    from mybro.config import config_file, load_settings
    from mybro.ops import settings_file

    told = settings_file.effective(load_settings())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "file": str(config_file()),
                    "settings": {each.name: {"value": each.value, "from": each.origin} for each in told},
                },
                indent=2,
            )
        )
        return
    width = max(len(each.name) for each in told)
    section = ""
    for each in told:
        if each.name.partition(".")[0] != section:
            section = each.name.partition(".")[0]
            click.secho(f"[{section}]", bold=True)
        origin = "" if each.origin == "default" else click.style(f"  from the {each.origin}", fg="cyan")
        click.echo(f"{each.name:<{width}}  {_plain(each.value)}{origin}")
    click.echo(f"\nfile: {config_file()}{'' if config_file().exists() else ' (not there yet)'}")


@command.command("get")
@NAME
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def get(name: str, as_json: bool) -> None:
    """Print one setting's value; an unset one prints an empty line."""
    from mybro.config import load_settings
    from mybro.ops import settings_file

    wanted = str(settings_file.named(name))
    value = next(each.value for each in settings_file.effective(load_settings()) if each.name == wanted)
    click.echo(json.dumps(value) if as_json else _plain(value))


@command.command("set", context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("value")
def set_(name: str, value: str) -> None:
    """Set NAME to VALUE in the file; comments there are kept."""
    import os

    from mybro.ops import settings_file

    stored = settings_file.store(name, value)
    click.echo(f"{name} = {_plain(stored)}")
    variable = settings_file.named(name).variable
    if variable in os.environ:
        click.echo(f"mybro: {variable} is set in this shell and wins over the file", err=True)


@command.command("unset")
@NAME
def unset(name: str) -> None:
    """Take NAME out of the file: its default holds again."""
    from mybro.ops import settings_file

    gone = settings_file.discard(name)
    click.echo(f"{name} is back to its default" if gone else f"{name} is not in the file")


@command.command("path")
def path() -> None:
    """Print where the file is."""
    from mybro.config import config_file

    click.echo(config_file())


@command.command("edit")
def edit() -> None:
    """Open the file in $EDITOR, and check it afterwards."""
    from mybro.config import config_file, load_settings
    from mybro.errors import ConfigError

    file = config_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(exist_ok=True)
    except OSError as error:
        raise ConfigError("config_not_written", f"{file} cannot be written: {error}") from None
    click.edit(filename=str(file))
    load_settings()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
