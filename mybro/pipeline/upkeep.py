"""What has to be done again and again while nobody asks for it: old things are deleted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from mybro.clock import Clock
from mybro.config import Settings, data_dir
from mybro.errors import MybroError
from mybro.journal import Archive
from mybro.server.logs import KEPT_DAYS
from mybro.server.store import DAY_S, Store

log = logging.getLogger("mybro.server")


async def history(settings: Settings) -> int:
    """Delete what was said before the retention; tells how much that was. Raises `JournalError`."""
    if not (data_dir() / "journal.db").exists():
        return 0
    archive = await Archive.open(settings=settings.journal)
    try:
        return await archive.prune(settings.journal.retention_days)
    finally:
        await archive.aclose()


async def tables(settings: Settings) -> int:
    """Delete expired intents and old transcriptions; tells how many. Raises `ServerError`."""
    url = settings.server.database_url
    store = await Store.open(url.get_secret_value() if url else None)
    try:
        return await store.prune(settings.journal.retention_days)
    finally:
        await store.aclose()


async def logs(_settings: Settings, wall: Callable[[], float] = time.time) -> int:
    """Delete logs of earlier weeks, which no session has come to delete; tells how many."""
    oldest = wall() - (KEPT_DAYS + 1) * DAY_S

    def clear(folder: Path) -> int:
        old = [path for path in folder.glob("mybro.jsonl.*") if path.stat().st_mtime < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    return await asyncio.to_thread(clear, data_dir() / "logs")


CHORES: dict[str, Callable[[Settings], Awaitable[int]]] = {
    "prune_history": history,
    "prune_tables": tables,
    "clear_logs": logs,
}


async def keep_up(settings: Settings, clock: Clock) -> None:
    """Do all of it again and again, for ever; what fails is logged and tried again next time."""
    while True:
        await clock.sleep(settings.server.upkeep_s)
        for name, chore in CHORES.items():
            try:
                done = await chore(settings)
            except (MybroError, OSError) as error:
                code = error.code if isinstance(error, MybroError) else type(error).__name__
                log.warning("%s failed: %s", name, code)
            else:
                log.info("%s: %d deleted", name, done)
