"""`mybro daemon`: a session that the system starts at login and keeps."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mybro.errors import ChildError

if TYPE_CHECKING:
    from mybro.ops.daemon.service import Daemon

_MAC_MICROPHONE = (
    "macOS gives no microphone to what launchd starts outside an app, and does not ask either: if nothing is "
    "heard, speak through the page, or use `mybro run` in a terminal."
)
LINES = 50
_POLL_S = 0.5
PATIENCE_S = 600.0
"""So long may an upgrade wait for a quiet moment."""

repository = click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")
microphone = click.option(
    "--microphone", is_flag=True, help="Hear with this machine's microphone, too: see `mybro ptt`."
)


@click.group("daemon")
def command() -> None:
    """A session with its page that starts when you log in and is restarted when it dies.

    launchd starts it on macOS, systemd on Linux; where there is neither: mybro daemon run.
    """


@command.command("install")
@repository
@microphone
def install(repo: str | None, microphone: bool) -> None:
    """Have the system start it now and at every login.

    It goes by the settings file and the keychain: settings and keys in this terminal's environment are not
    taken along.
    """
    from mybro.cli.serve import require
    from mybro.config import data_dir
    from mybro.ops.daemon.plan import Plan, environment
    from mybro.pipeline.session import find_repo

    require()
    where = find_repo(repo)
    log = data_dir().absolute() / "logs" / "daemon-start.log"
    daemon = _daemon()
    daemon.install(Plan(where, Path.home(), log, microphone, environment()))
    click.echo(f"Installed for {where} ({daemon.file}).")
    click.echo("It is starting. Its page: mybro daemon status")
    if microphone and sys.platform == "darwin":
        click.echo(_MAC_MICROPHONE, err=True)


@command.command("start")
def start() -> None:
    """Start it now."""
    _daemon().start()
    click.echo("Started.")


@command.command("stop")
def stop() -> None:
    """Stop it until the next login or `mybro daemon start`."""
    _daemon().stop()
    click.echo("Stopped.")


@command.command("upgrade")
def upgrade() -> int:
    """Go on with the mybro that is installed now, without losing a word.

    A fresh session loads everything beside the one that runs. It takes over when nothing is being said or
    done, for which it waits ten minutes; a browser's Talk goes over with all it has heard. Where the fresh
    one does not come up, the one that runs stays.
    """
    import os
    import signal

    from mybro.config import data_dir
    from mybro.ops.daemon.keeper import DONE, FAILED
    from mybro.ops.daemon.record import read

    told, alive = read(data_dir())
    if told is None or not alive:
        raise ChildError("no_daemon", "no daemon runs", hint="Run: mybro daemon start")
    if not told.can_upgrade:
        raise ChildError(
            "old_daemon", "the daemon that runs cannot do that", hint="Stop it, and start it again"
        )
    before, shown = told.child, ""
    os.kill(told.pid, signal.SIGUSR1)
    while True:
        time.sleep(_POLL_S / 5)
        told, alive = read(data_dir())
        if told is None or not alive:
            raise ChildError("no_daemon", "the daemon has ended meanwhile", hint="Run: mybro daemon start")
        if told.upgrade.startswith(FAILED) and shown:
            raise ChildError("not_upgraded", told.upgrade.removeprefix(f"{FAILED}: "))
        if told.upgrade == DONE and told.child != before:
            click.echo("The fresh session has taken over.")
            return 0
        if told.upgrade not in (shown, DONE) and not told.upgrade.startswith(FAILED):
            shown = told.upgrade
            click.echo(f"{shown[:1].upper()}{shown[1:]}…")


@command.command("uninstall")
def uninstall() -> None:
    """Stop it for good."""
    click.echo("Uninstalled." if _daemon().uninstall() else "No daemon is installed.")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> int:
    """Whether it runs, what it does, its page's address, and what went wrong.

    Exit status: 0 it runs, 1 it does not.
    """
    from mybro.config import data_dir
    from mybro.ops.daemon.record import read

    told, alive = read(data_dir())
    found: dict[str, Any] = {"running": alive, "service": _service_state()}
    if told is not None:
        found |= {
            "pid": told.pid, "repo": told.repo, "since": told.since, "restarts": told.restarts,
            "last": told.last, "gave_up": told.gave_up, "hint": told.hint,
        }  # fmt: skip
    if alive and told is not None:
        found |= {"session": told.child, **_session(told.child)}
    if as_json:
        click.echo(json.dumps(found))
    else:
        for line in _described(found):
            click.echo(line)
    return 0 if alive else 1


@command.command("logs")
@click.option("-n", "--lines", type=click.IntRange(1, 100_000), default=LINES, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--session", is_flag=True, help="The session's own log, in JSON lines.")
def logs(lines: int, follow: bool, session: bool) -> None:
    """Show what it did. No log holds what was said, unless `server.log_transcripts` is on."""
    from mybro.config import data_dir

    path = data_dir() / "logs" / ("mybro.jsonl" if session else "daemon.log")
    if not path.exists() and not follow:
        raise ChildError("no_log", f"there is no log yet: {path}", hint="Run: mybro daemon start")
    at = 0
    if path.exists():
        content = path.read_bytes()
        at = len(content)
        for line in content.decode(errors="replace").splitlines()[-lines:]:
            click.echo(line)
    while follow:
        time.sleep(_POLL_S)
        if not path.exists():
            continue
        if path.stat().st_size < at:
            at = 0  # it was rotated
        with path.open("rb") as file:
            file.seek(at)
            more = file.read()
        at += len(more)
        click.echo(more.decode(errors="replace"), nl=False)


@command.command("run")
@repository
@microphone
@click.option("--under", type=click.Choice(["launchd", "systemd"]), hidden=True)
def run(repo: str | None, microphone: bool, under: str | None) -> int:
    """Keep a session running in the foreground, until Ctrl-C.

    For containers, and supervisors of your own. Exit status: 0 it was stopped, 78 it ended too often.
    """
    from mybro.cli.serve import require
    from mybro.ops.supervision import GAVE_UP
    from mybro.pipeline.session import find_repo

    require()
    done = asyncio.run(_keep(find_repo(repo), microphone=microphone, shown=under is None))
    # launchd knows no status that it would leave alone but success.
    return 0 if under == "launchd" and done == GAVE_UP else done


async def _keep(repo: Path, *, microphone: bool, shown: bool) -> int:
    from mybro.config import data_dir
    from mybro.ops.daemon.keeper import Keeper
    from mybro.ops.daemon.log import logging_for
    from mybro.ops.daemon.record import Record

    session = [
        sys.executable, "-P", "-m", "mybro", "serve", "--background", "--repo", str(repo),
        *(["--microphone"] if microphone else []),
    ]  # fmt: skip
    record = Record.begin(data_dir(), repo)
    try:
        with logging_for(data_dir() / "logs" / "daemon.log", shown=shown):
            standby = [*session, "--standby"], _leave
            return await Keeper(session, record, alert=_alert, standby=standby).run()
    finally:
        record.close()


async def _leave(pid: int) -> None:
    """Have a session end as soon as nothing goes on in it."""
    from mybro.ops.rendezvous import Line, folder

    line = await Line.open(folder() / f"{pid}.sock")
    try:
        await line.ask("leave", patience_s=PATIENCE_S)
    finally:
        await line.aclose()


async def _alert(text: str) -> None:
    """A notification, whatever the session's state."""
    from mybro.clock import MonotonicClock
    from mybro.config import load_settings
    from mybro.errors import ConfigError
    from mybro.speak.notify import Notifier

    try:
        settings = load_settings().speak
    except ConfigError:
        return  # which the log tells anyway
    await Notifier(settings, MonotonicClock()).show(text)


def _daemon() -> Daemon:
    from mybro.ops.daemon.service import Daemon, manager_here

    return Daemon(manager_here())


def _service_state() -> str:
    try:
        return _daemon().state()
    except ChildError:
        return "absent"


def _session(child: int | None) -> dict[str, Any]:
    """What the daemon's own session says, where it answers already."""
    from mybro.ops.rendezvous import Line, folder

    async def talk() -> dict[str, Any]:
        line = await Line.open(folder() / f"{child}.sock")
        try:
            said = await line.ask("status")
            return {"says": said["says"], **await line.ask("page")}
        finally:
            await line.aclose()

    if child is None:
        return {}
    try:
        return asyncio.run(talk())
    except ChildError:
        return {}


def _described(found: dict[str, Any]) -> list[str]:
    if found["running"]:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(found["since"]))
        said = [f"Running since {since} in {found['repo']}: {found.get('says') or 'the session is starting'}"]
        if found.get("page"):
            said.append(f"Page: {found['page']}")
        if found["restarts"]:
            said.append(f"Restarts: {found['restarts']}, the last because: {found['last']}")
        return said
    said = ["It does not run." if found["service"] != "absent" else "It does not run, and is not installed."]
    if found.get("gave_up"):
        said += [f"{found['gave_up']}.", f"{found['hint']}." if found["hint"] else ""]
    elif found["service"] == "absent":
        said.append("Install it: mybro daemon install. Or run it by hand: mybro daemon run")
    else:
        said.append("Start it: mybro daemon start")
    return [line for line in said if line]
