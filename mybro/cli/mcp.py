"""`mybro mcp`: a server of tools for agents, by the Model Context Protocol."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys

import click

from mybro.errors import ConfigError


@click.command("mcp")
@click.option("--register", is_flag=True, help="Print how to register it with other programs, and end.")
def command(register: bool) -> int:
    """Serve tools to a coding agent on standard input and output: speak, ask the person, notify, and read
    the journal.

    Sessions that mybro starts have them. They talk to the running session of mybro; `mybro run` is one.
    """
    if register:
        argv = [sys.executable, "-m", "mybro", "mcp"]
        click.echo(f"claude mcp add --scope user mybro -- {shlex.join(argv)}")
        click.echo(json.dumps({"mcpServers": {"mybro": {"command": argv[0], "args": argv[1:]}}}))
        return 0
    if importlib.util.find_spec("mcp") is None:
        raise ConfigError(
            "no_mcp", "the MCP library is not installed", hint="Run `make setup` in mybro's checkout"
        )
    from mybro.cli.mcp_tools import server

    server().run(transport="stdio")
    return 0
