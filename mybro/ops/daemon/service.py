"""Installing, starting and stopping, through the system's service manager."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from mybro.errors import ChildError
from mybro.ops.daemon.plan import Command, Manager, Plan, State, Step

COMMAND_S = 60.0
_RETRY_S = 0.3
BY_HAND = "Run it by hand, in a terminal or under a supervisor of your own: mybro daemon run"


def manager_here(platform: str = sys.platform) -> Manager:
    """This system's service manager. Raises `ChildError` no_service_manager."""
    if platform == "darwin":
        from mybro.ops.daemon.launchd import Launchd

        return Launchd(Path.home())
    if platform.startswith("linux"):
        from mybro.ops.daemon.systemd import Systemd

        return Systemd(Path.home())
    raise ChildError("no_service_manager", f"nothing here starts services on {platform}", hint=BY_HAND)


class Daemon:
    """A service of the person. Every method raises `ChildError` for what the manager does not do."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self.file = manager.path
        self.manager = manager.name

    @property
    def installed(self) -> bool:
        return self.file.exists()

    def install(self, plan: Plan) -> None:
        """Write the service's file and start it, in place of an earlier one."""
        self._probe()
        content = self._manager.content(plan)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        plan.log.touch(mode=0o600)
        self.file.write_bytes(content)
        self._do("install")

    def start(self) -> None:
        self._need()
        self._do("start")

    def stop(self) -> None:
        self._need()
        self._do("stop")

    def uninstall(self) -> bool:
        """Stop it and remove its file; whether there was one."""
        if not self.installed:
            return False
        if _available(self._manager):
            self._do("uninstall")
        self.file.unlink(missing_ok=True)
        return True

    def state(self) -> State:
        if not self.installed:
            return "absent"
        (command,) = self._manager.commands("state")
        try:
            found = _run(command)
        except ChildError:
            return "stopped"
        return self._manager.state(found.returncode, found.stdout)

    def _need(self) -> None:
        if not self.installed:
            raise ChildError("no_daemon", "no daemon is installed", hint="Run: mybro daemon install")
        self._probe()

    def _probe(self) -> None:
        if not _available(self._manager):
            raise ChildError(
                "no_service_manager",
                f"{self.manager} does not answer here, as in a container or without a login at the screen",
                hint=BY_HAND,
            )

    def _do(self, step: Step) -> None:
        for command in self._manager.commands(step):
            done = _run(command)
            for _ in range(command.tries - 1):
                if done.returncode == 0:
                    break
                time.sleep(_RETRY_S)
                done = _run(command)
            if done.returncode and not command.may_fail:
                told = (done.stderr.strip() or done.stdout.strip()).splitlines()[:1]
                raise ChildError(
                    "service_refused",
                    f"{' '.join(command.words[:3])} failed with status {done.returncode}"
                    + (f": {told[0][:200]}" if told else ""),
                    hint=BY_HAND,
                )


def _available(manager: Manager) -> bool:
    try:
        return all(_run(command).returncode == 0 for command in manager.commands("probe"))
    except ChildError:
        return False


def _run(command: Command) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command.words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=COMMAND_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "does not answer"
        raise ChildError("no_service_manager", f"{command.words[0]} {reason}", hint=BY_HAND) from None
