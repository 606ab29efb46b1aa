"""`mybro completions`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

WHERE = {
    "bash": 'Add to ~/.bashrc:  eval "$(mybro completions bash)"',
    "zsh": 'Add to ~/.zshrc:  eval "$(mybro completions zsh)"',
    "fish": "Run:  mybro completions fish > ~/.config/fish/completions/mybro.fish",
}


@click.command("completions")
@click.argument("shell", type=click.Choice(sorted(WHERE)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete mybro's commands, options and settings.

    \b
    bash:  eval "$(mybro completions bash)"            in ~/.bashrc
    zsh:   eval "$(mybro completions zsh)"             in ~/.zshrc
    fish:  mybro completions fish > ~/.config/fish/completions/mybro.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completions for {shell}")
    click.echo(made(ctx.find_root().command, {}, "mybro", "_MYBRO_COMPLETE").source())
    if sys.stdout.isatty():
        click.echo(WHERE[shell], err=True)
