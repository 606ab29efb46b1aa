"""What may be spent, as the server's port has it."""

from __future__ import annotations

import asyncio

from mybro.config import ExecutorSettings
from mybro.ops import settings_file


class SessionBudget:
    """The server's `Budget`."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings

    def limits(self) -> tuple[float | None, float | None]:
        return self._settings.budget_usd, self._settings.budget_day_usd

    async def limit(self, session_usd: float | None, day_usd: float | None) -> None:
        # The coding agent reads them whenever it begins a session of its own.
        self._settings.budget_usd, self._settings.budget_day_usd = session_usd, day_usd
        await asyncio.to_thread(_keep, session_usd, day_usd)


def _keep(session_usd: float | None, day_usd: float | None) -> None:
    for name, value in (("executor.budget_usd", session_usd), ("executor.budget_day_usd", day_usd)):
        if value is None:
            settings_file.discard(name)
        else:
            settings_file.store(name, str(value))
