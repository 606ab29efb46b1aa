"""A desk whose hand speaks the Agent Client Protocol."""

from __future__ import annotations

import psutil

from mybro.executor.acp.hand import AcpHand
from mybro.executor.coding import CodingHand
from tests.fakes.claude import Desk


class AcpDesk(Desk):
    """As the desk of Claude Code, for whatever agent `executor.acp_command` names."""

    def new_hand(self) -> CodingHand:
        return AcpHand(self.settings, self.clock, env=self.env, store=self.store)

    def agent(self) -> psutil.Process:
        """The agent's own process."""
        for keeper in psutil.Process().children():
            if "mybro.ops.keeper" in keeper.cmdline():
                return keeper.children()[0]
        raise LookupError("no agent runs")
