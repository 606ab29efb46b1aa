"""`mybro run`: the session."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mybro.config import Settings
    from mybro.pipeline.serving import Server
    from mybro.pipeline.session import Session


LAST_WORDS_S = 5.0
"""So long may it take to understand what was said before the end: it is offered again afterwards."""


@click.command("run")
@click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")
@click.option("--worktree", metavar="NAME", help="Work beside your own files: see `mybro worktrees --help`.")
@click.option("--audio", multiple=True, metavar="FILE…", help="Hear recordings, or - for a pipe, then end.")
@click.argument("more_audio", nargs=-1, metavar="")
@click.option("--realtime", is_flag=True, help="With --audio: at the speed of speech, and wait for nothing.")
@click.option("--hands-free/--push-to-talk", default=None, help="When the microphone is open.")
@click.option("--voice/--no-voice", default=None, help="Speak; default: where there is a loudspeaker.")
@click.option("--record", type=click.Path(dir_okay=False), help="Write what is spoken to a WAV file.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
def command(
    repo: str | None, worktree: str | None, audio: tuple[str, ...], more_audio: tuple[str, ...],
    realtime: bool, hands_free: bool | None, voice: bool | None, record: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Listen, and do what is said, in a repository.

    Hold the talk key while you speak (`mybro config get audio.talk_key`), or run it hands-free. Say "help"
    for what can be said; "stop" stops everything, "undo that" takes the last change back.

    \b
    Keys in the terminal: y yes, n no, a always, 1-9 choose, s stop, u undo, m mute, q quit.
    A destructive question takes a Y.
    """
    from mybro.config import load_settings

    if more_audio and not audio:
        raise click.UsageError(f"unexpected argument {more_audio[0]!r}; recordings are given with --audio")
    listening = {True: "hands-free", False: "push-to-talk"}
    flags: dict[str, Any] = {} if hands_free is None else {"audio": {"listen": listening[hands_free]}}
    options = {"voice": voice, "record": Path(record) if record else None}
    files = (*audio, *more_audio)
    settings = load_settings(flags)
    where = _place(repo, worktree)
    session = work(settings, where, files, options, realtime=realtime, as_json=as_json)
    return asyncio.run(session)


def run(session: Coroutine[Any, Any, int]) -> int:
    """Run a session that has no terminal to read keys from, on uvloop where it is there."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(session)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(session)


def _place(repo: str | None, worktree: str | None) -> Path:
    from mybro.pipeline.session import find_repo

    where = find_repo(repo)
    if worktree is None:
        return where
    from mybro.executor.worktrees import Worktrees

    return Worktrees(where).provide(worktree)


@dataclass(frozen=True, slots=True)
class Serve:
    """A session that is there for its page."""

    microphone: bool = False
    """Whether it hears with this machine's microphone as well."""
    background: bool = False
    """Whether a supervisor keeps it."""
    standby: bool = False
    """Whether it gets ready first, and waits to be told to take over from another."""


async def work(
    settings: Settings, where: Path, files: tuple[str, ...], options: dict[str, Any],
    *, realtime: bool = False, as_json: bool = False, serve: Serve | None = None,
) -> int:  # fmt: skip
    """A whole session: hears the files, or else the microphone; with `serve` what the page sends."""
    from mybro.models.hub import fetcher
    from mybro.pipeline.doors import control
    from mybro.pipeline.feed import open_source
    from mybro.pipeline.session import first_of, session
    from mybro.speak.notify import Notifier
    from mybro.terminal.view import choose_view

    sources = [open_source(name, realtime=realtime) for name in files]
    view = choose_view(json=as_json, is_tty=sys.stdout.isatty(), place=where.name)
    try:
        async with contextlib.AsyncExitStack() as stack:
            page = await _page(stack, settings)
            watchers = (view.show,) if page is None else (view.show, page.watch)
            think = None if page is None else page.think
            running = await stack.enter_async_context(
                session(settings, where, watchers, ears=True, fetch=fetcher(), think=think, **options)
            )
            if serve is not None and serve.standby and not await _called(running):
                return 0
            # A second session's supervisor, or a closed terminal, ends it in order, too.
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, _end, running)
            notifier = Notifier(settings.speak, running.clock)
            reached = await stack.enter_async_context(
                control(running.pipeline, where, notifier, running.journal, running.clock)
            )
            if serve is not None and serve.background:
                _end_with_parent(running)
            if page is not None:
                reached.page = await _show(stack, page, running, serve)
            running.warm_up()
            await running.recover()
            if serve is not None and not serve.microphone:
                await running.pipeline.ended.wait()
                return 0
            hearing = _play(running, sources, realtime=realtime) if files else _listen(running, serve)
            await first_of(hearing, running.pipeline.ended.wait())
    finally:
        view.close()
    return 0


async def _called(running: Session) -> bool:
    """Wait until the session before this one has left; False where the supervisor has ended instead."""
    from mybro.cli.ask import read_line
    from mybro.ops.daemon.life import STANDS_BY

    running.warm_up()
    click.echo(STANDS_BY, err=True)
    return await read_line() == "go"


async def _page(stack: contextlib.AsyncExitStack, settings: Settings) -> Server | None:
    """The page's server, where the settings ask for one."""
    if not settings.server.enabled:
        return None
    from mybro.cli.serve import require

    require()
    from mybro.pipeline.serving import server

    return await stack.enter_async_context(server(settings))


async def _show(stack: contextlib.AsyncExitStack, page: Server, running: Session, serve: Serve | None) -> str:
    """Serve the page and tell its address; a session that has other ears goes on without."""
    from mybro.errors import ServerError
    from mybro.events import StageFailed

    try:
        served = await stack.enter_async_context(page.serve(running))
    except ServerError as error:
        if serve is not None:
            raise
        await running.pipeline.post(StageFailed("server", error.problem))
        return ""
    # Not an event: the token in it is for the person's eyes only, so a log does not get it either.
    shown = served.url if serve is not None and serve.background else served.page
    who = "serving" if serve is not None and serve.background else "mybro: open"
    click.echo(f"{who} {shown}", err=True)
    return served.page


async def _play(running: Session, sources: list[Any], *, realtime: bool) -> None:
    for source in sources:
        await running.listen(source, lockstep=not realtime)


async def _listen(running: Session, serve: Serve | None) -> None:
    from mybro.pipeline.live import listen_live

    terminal = sys.stdin.fileno() if sys.stdin.isatty() else None
    await listen_live(running, terminal, key_needed=serve is None)


def _end_with_parent(running: Session) -> None:
    """A supervisor holds the other end of standard input: when it dies, by whatever means, this ends, too."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(sys.stdin.fileno())
        _end(running)

    loop.add_reader(sys.stdin.fileno(), gone)


def _end(running: Session) -> None:
    """End in order. Nobody at the terminal has asked for it, so what is being said is still understood."""

    async def soon() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while running.pipeline.state.turns:  # noqa: ASYNC110 - nothing tells of every change
                    await asyncio.sleep(0.02)
        running.pipeline.ended.set()

    running.pipeline.spawn(soon(), counts=False)
