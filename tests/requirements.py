"""What a test needs and a machine may lack: skipped at a person's desk, required when CI=true."""

from __future__ import annotations

import os
from typing import Any

import pytest


def need(present: Any, what: str) -> None:
    """Go on if `present`; otherwise skip, or fail where CI=true."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"required in CI: {what}")
    pytest.skip(what)
