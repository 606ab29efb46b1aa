"""What a test needs and a machine may lack: skipped at a person's desk, required when CI=true."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mybro.ops.bootstrap.machine import PLATFORM, parts


def need(present: Any, what: str) -> None:
    """Go on if `present`; otherwise skip, or fail where CI=true.

    requirements/machine.toml lists what CI may lack on a platform: a part whose name occurs in `what`,
    and whose `ci` leaves out the platform, is skipped there too.
    """
    if present:
        return
    if os.environ.get("CI") == "true" and not may_lack(what, PLATFORM):
        pytest.fail(f"required in CI: {what}")
    pytest.skip(what)


def may_lack(what: str, platform: str) -> bool:
    """Whether CI on `platform` may go without the part that `what` names; False if it names none."""
    named = [part for part in parts() if part.name.lower() in what.lower()]
    return bool(named) and not any(platform in part.ci for part in named)
