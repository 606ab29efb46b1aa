"""What macOS has to allow before mybro can hear, and how a person allows it. Decided here, asked there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Access = Literal["granted", "denied", "undetermined"]
"""Undetermined: macOS asks when it is first needed."""

PANE = "x-apple.systempreferences:com.apple.preference.security?"


@dataclass(frozen=True, slots=True)
class Permission:
    """One row of System Settings > Privacy & Security."""

    name: Literal["microphone", "input-monitoring"]
    row: str
    """What the pane is called."""
    why: str
    pane: str
    """The address that opens it."""


MICROPHONE = Permission(
    "microphone", "Microphone", "to hear you; without it every sample is zero", PANE + "Privacy_Microphone"
)
INPUT_MONITORING = Permission(
    "input-monitoring",
    "Input Monitoring",
    "to notice the talk key while another window has the focus",
    PANE + "Privacy_ListenEvent",
)


class Permissions(Protocol):
    """The platform's side."""

    def access(self, permission: Permission) -> Access:
        """What the person has allowed so far; asks nothing."""
        ...

    def request(self, permission: Permission) -> Access:
        """Have macOS ask the person, wait for the answer (bounded), and return it."""
        ...

    def open_pane(self, permission: Permission) -> None:
        """Open the pane where it can be switched on."""
        ...


def here() -> Permissions | None:
    """This platform's permissions; None where nothing has to be allowed."""
    if sys.platform == "darwin":
        from mybro.ops.permissions_macos import MacPermissions

        return MacPermissions()
    else:  # noqa: RET505 - type checkers skip a branch of another platform, not what follows it
        return None


_APPS = {
    "Apple_Terminal": "Terminal",
    "iTerm.app": "iTerm",
    "vscode": "Visual Studio Code",
    "ghostty": "Ghostty",
    "WezTerm": "WezTerm",
    "WarpTerminal": "Warp",
    "kitty": "kitty",
    "zed": "Zed",
}


def responsible_app(env: Mapping[str, str] = os.environ) -> str:
    """The program that macOS holds responsible for what is started in this terminal, as Settings names it."""
    return _APPS.get(env.get("TERM_PROGRAM", ""), "your terminal")
