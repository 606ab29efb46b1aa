"""Which coding hand the settings ask for; it is imported when it is chosen."""

from __future__ import annotations

import importlib
from typing import cast

from mybro.clock import Clock
from mybro.config import ExecutorSettings
from mybro.executor.coding import CodingHand

HANDS = {"claude": "mybro.executor.claude.hand.ClaudeHand", "acp": "mybro.executor.acp.hand.AcpHand"}


def coding_hand(settings: ExecutorSettings, clock: Clock) -> CodingHand:
    """The hand that does what takes an agent."""
    module, _, name = HANDS[settings.agent].rpartition(".")
    return cast("CodingHand", getattr(importlib.import_module(module), name)(settings, clock))
