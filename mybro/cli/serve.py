"""`mybro serve`: a session with its page and API, and the tokens with which programs use it."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from mybro.errors import ConfigError

if TYPE_CHECKING:
    from mybro.server.tokens import Tokens


LIBRARIES = (
    "fastapi", "httptools", "jwt", "prometheus_client", "python_multipart", "structlog", "uvicorn",
    "websockets",
)  # fmt: skip


@click.group("serve", invoke_without_command=True)
@click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: server.port, 7777.")
@click.option("--voice/--no-voice", default=None, help="Speak; default: where there is a loudspeaker.")
@click.option("--microphone", is_flag=True, help="Hear with this machine's microphone, too.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.option("--background", is_flag=True, hidden=True)
@click.option("--standby", is_flag=True, hidden=True)
@click.pass_context
def command(
    context: click.Context, repo: str | None, port: int | None, voice: bool | None, microphone: bool,
    as_json: bool, background: bool, standby: bool,
) -> int:  # fmt: skip
    """Serve the page and the API, for this machine only, until Ctrl-C.

    The page listens with the browser's microphone; `mybro run` with `server.enabled` serves it beside your
    own, as `--microphone` does here. The address that is printed holds a token: whoever has it can use your
    session.
    """
    if context.invoked_subcommand is not None:
        return 0
    require()
    from mybro.cli.run import Serve, run, work
    from mybro.config import load_settings
    from mybro.pipeline.session import find_repo
    from mybro.server.runner import check

    asked: dict[str, Any] = {"enabled": True} if port is None else {"enabled": True, "port": port}
    options = {"voice": voice, "record": None}
    settings = load_settings({"server": asked})
    if not standby:
        check(settings.server)
    how = Serve(microphone=microphone, background=background, standby=standby)
    if not background:
        return run(work(settings, find_repo(repo), (), options, as_json=as_json, serve=how))
    from mybro.cli.background import unattended

    with unattended():
        return run(work(settings, find_repo(repo), (), options, as_json=True, serve=how))


@command.command("token")
@click.option("--scope", type=click.Choice(["read", "speak", "act"]), default="read", show_default=True)
@click.option("--days", type=click.FloatRange(0, 366, min_open=True), default=30.0, show_default=True)
@click.option("--name", default="", help="What it is for.")
def token(scope: Any, days: float, name: str) -> None:
    """Print a token for a program: Authorization: Bearer TOKEN.

    read sees everything, speak also transcribes and synthesizes, act also does what you can do.
    """
    made, entry = _tokens().issue(scope, days, name)
    click.echo(made)
    ends = datetime.fromtimestamp(entry.expires).astimezone()
    click.echo(f"Token {entry.id}, {scope}, until {ends:%Y-%m-%d %H:%M}; it is not shown again.", err=True)


@command.command("tokens")
def tokens() -> None:
    """List the tokens that have not expired."""
    for one in _tokens().all():
        ends = datetime.fromtimestamp(one.expires).astimezone()
        gone = "  revoked" if one.revoked else ""
        click.echo(f"{one.id}  {one.scope:<5}  until {ends:%Y-%m-%d %H:%M}{gone}  {one.name}".rstrip())


@command.command("revoke")
@click.argument("number")
def revoke(number: str) -> None:
    """Refuse a token from now on, also in a session that runs."""
    _tokens().revoke(number)
    click.echo(f"Revoked {number}.")


@command.command("password")
def password() -> None:
    """Set the password that is needed beyond this machine."""
    from mybro.ops import keychain
    from mybro.server.auth import PASSWORD_NAME, hash_of

    shown = _typed("Password", twice=True)
    if len(shown) < 10:
        raise ConfigError("weak_password", "that is too short", hint="Take ten characters or more")
    keychain.write(PASSWORD_NAME, hash_of(shown))
    click.echo("It is in the keychain.")


def _typed(what: str, *, twice: bool = False) -> str:
    """What is typed unseen at a terminal, or a pipe's first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    typed: str = click.prompt(what, hide_input=True, confirmation_prompt=twice)
    return typed


@command.command("secret")
@click.argument("name", type=click.Choice(["celery_url", "database_url", "jwt_secret", "redis_url"]))
@click.option("--forget", is_flag=True, help="Take it out of the keychain.")
def secret(name: str, forget: bool) -> None:
    """Keep one of the server's secrets in the keychain: an address holds a password, so no file has it.

    A MYBRO_SERVER__NAME in the environment wins over it.
    """
    from mybro.ops import keychain
    from mybro.server.kept_secrets import keychain_name

    if forget:
        gone = keychain.forget(keychain_name(name))
        click.echo("It is gone." if gone else "There was none.")
        return
    shown = _typed("Value").strip()
    if not shown:
        raise ConfigError("no_value", "there is no value", hint="Type one, or pipe one in")
    keychain.write(keychain_name(name), shown)
    click.echo("It is in the keychain.")


@command.command("worker")
@click.option("--beat", is_flag=True, help="Also see to what is periodic; one worker of all does.")
def worker(beat: bool) -> int:
    """Do longer work for sessions on this machine, until Ctrl-C: recordings and the doctor.

    Needs server.celery_url, the address of a Redis server, in the keychain or in MYBRO_SERVER__CELERY_URL.
    """
    require()
    from mybro.config import load_settings
    from mybro.pipeline.worker import work

    return work(load_settings(), beat=beat)


def require() -> None:
    """Raises `ConfigError` where the server's libraries are missing."""
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in LIBRARIES):
        raise ConfigError(
            "no_server",
            "the server's libraries are not installed",
            hint="Run `make setup` in mybro's checkout",
        )


def _tokens() -> Tokens:
    from mybro.config import load_settings
    from mybro.server.tokens import Tokens, secret_of

    return Tokens(secret_of(load_settings().server, lasting=True))
