"""Deleting from everything that keeps what was said: the journal, and the tables of the page and its API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mybro.journal import Archive, Deletion


async def forget(
    journal: Archive, utterances: Sequence[int], before: float | None, *, everything: bool
) -> Deletion:
    """As `Archive.delete`; kept intents go in any case, and what clients had transcribed as it fits.

    Raises `JournalError`, `ServerError`.
    """
    done = await journal.delete(utterances, older_than=before, everything=everything)
    from mybro.config import data_dir, load_settings
    from mybro.server.kept_secrets import with_secrets

    settings = with_secrets(load_settings().server)
    if settings.database_url is None and not (data_dir() / "server.db").exists():
        return done
    from mybro.server.store import Store

    url = settings.database_url
    store = await Store.open(url.get_secret_value() if url else None)
    try:
        # They hold sentences, under keys from which no utterance can be told.
        await store.clear()
        if everything:
            await store.forget_logs()
        elif before is not None:
            await store.forget_logs(before)
        await store.compact()
    finally:
        await store.aclose()
    if settings.redis_url is not None:
        from mybro.server.cache import Redis

        cache = Redis(settings.redis_url.get_secret_value())
        try:
            await cache.clear()
        finally:
            await cache.aclose()
    return done
