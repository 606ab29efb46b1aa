"""macOS's launchd, by its documented contract: launchd.plist(5) and launchctl(1). Not yet run on a Mac."""

from __future__ import annotations

import os
import plistlib
import re
from pathlib import Path

from mybro.ops.daemon.plan import LABEL, STOP_S, Command, Plan, State, Step

RESTART_AFTER_S = 10
_BOOTSTRAP_TRIES = 10


class Launchd:
    """An agent of the person who is logged in at the screen."""

    name = "launchd"

    def __init__(self, home: Path, user: int | None = None) -> None:
        self.path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._domain = f"gui/{os.getuid() if user is None else user}"
        self._service = f"{self._domain}/{LABEL}"

    def content(self, plan: Plan) -> bytes:
        return plistlib.dumps(
            {
                "Label": LABEL,
                "ProgramArguments": list(plan.command(self.name)),
                "EnvironmentVariables": dict(plan.environment),
                # The repository may be on a disk that is not there yet; launchd would not start at all.
                "WorkingDirectory": str(plan.home),
                "RunAtLoad": True,
                # What ended well, also because it gave up, stays ended.
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": RESTART_AFTER_S,
                "ExitTimeOut": STOP_S,
                # The default slows CPU and disk down.
                "ProcessType": "Interactive",
                "LimitLoadToSessionType": "Aqua",
                "StandardOutPath": str(plan.log),
                "StandardErrorPath": str(plan.log),
                "Umask": 0o077,
            }
        )

    def commands(self, step: Step) -> list[Command]:
        def launchctl(*words: str, may_fail: bool = False, tries: int = 1) -> Command:
            return Command(("launchctl", *words), may_fail, tries)

        bootstrap = ("bootstrap", self._domain, str(self.path))
        match step:
            case "probe":
                return [launchctl("print", self._domain)]
            case "install":
                # An earlier one goes first; bootout returns before it is gone.
                return [
                    launchctl("bootout", self._service, may_fail=True),
                    launchctl("enable", self._service, may_fail=True),
                    launchctl(*bootstrap, tries=_BOOTSTRAP_TRIES),
                ]
            case "start":
                return [launchctl(*bootstrap, may_fail=True), launchctl("kickstart", self._service)]
            case "stop":
                # A bootout would forget the service until the next login.
                return [launchctl("kill", "SIGTERM", self._service, may_fail=True)]
            case "uninstall":
                return [launchctl("bootout", self._service, may_fail=True)]
            case "state":
                return [launchctl("print", self._service)]

    def state(self, status: int, output: str) -> State:
        if status:
            return "stopped"
        if re.search(r"^\s*state = running\b", output, re.MULTILINE):
            return "running"
        code = re.search(r"^\s*last exit code = (-?\d+)", output, re.MULTILINE)
        return "failed" if code and code[1] != "0" else "stopped"
