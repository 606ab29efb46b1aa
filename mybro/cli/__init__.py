"""The command line: one thin file per verb, imported only when the verb is used."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mybro import __version__
from mybro.cli.verbs import SECTIONS, VERBS
from mybro.errors import MybroError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130


class LazyGroup(click.Group):
    """Knows every verb's name, section, help and example without importing its file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name].module).command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of our output has left, as `head` does. Click itself would call that a failure.
            return 0

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        matching = [
            CompletionItem(name, help=VERBS[name].help) for name in VERBS if name.startswith(incomplete)
        ]
        return matching or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in VERBS)
        for section in SECTIONS:
            with formatter.section(section):
                rows = [(name, verb) for name, verb in VERBS.items() if verb.section == section]
                for name, verb in rows:
                    formatter.write_text(f"{name:<{width}}  {verb.help}")
                    formatter.write_text(f"{'':<{width}}  $ {verb.example}")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings: mybro config. Something wrong: mybro check.",
)
@click.version_option(__version__, prog_name="mybro")
def group() -> None:
    """You speak, and work gets done in your repository."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0 done, 1 an error (one line on stderr), 2 wrong usage or settings, 130 interrupted.
    """
    try:
        return _main(arguments)
    finally:
        _flush()


def _main(arguments: Sequence[str] | None) -> int:
    try:
        result = group.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except MybroError as error:
        click.echo(f"mybro: {error}", err=True)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _flush() -> None:
    """Write out what is left; where the reader has left, see to it that nobody stumbles over that at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
