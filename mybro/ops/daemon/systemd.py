"""Linux's systemd, as a unit of the person: systemd.service(5), systemd.syntax(7), systemctl(1)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mybro.errors import ConfigError
from mybro.ops.daemon.plan import STOP_S, Command, Plan, State, Step
from mybro.ops.supervision import GAVE_UP

UNIT = "mybro.service"


class Systemd:
    """A user unit."""

    name = "systemd"

    def __init__(self, home: Path, env: Mapping[str, str] = os.environ) -> None:
        config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
        self.path = config / "systemd" / "user" / UNIT

    def content(self, plan: Plan) -> bytes:
        start = " ".join(_quoted(word).replace("$", "$$") for word in plan.command(self.name))
        variables = "\n".join(
            f"Environment={_quoted(f'{name}={value}')}" for name, value in plan.environment.items()
        )
        return f"""\
[Unit]
Description=mybro: you speak, and work gets done
StartLimitIntervalSec=3600
StartLimitBurst=3

[Service]
Type=exec
ExecStart={start}
{variables}
WorkingDirectory={_plain(str(plan.home))}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={GAVE_UP}
KillMode=mixed
TimeoutStopSec={STOP_S}
# A model that is killed for want of memory is followed by a smaller one, not by the end of everything.
OOMPolicy=continue
StandardOutput=append:{_plain(str(plan.log))}
StandardError=append:{_plain(str(plan.log))}
UMask=0077

[Install]
WantedBy=default.target
""".encode()

    def commands(self, step: Step) -> list[Command]:
        def systemctl(*words: str, may_fail: bool = False) -> Command:
            return Command(("systemctl", "--user", *words), may_fail)

        match step:
            case "probe":
                return [systemctl("show-environment")]
            case "install":
                return [
                    systemctl("daemon-reload"), systemctl("reset-failed", UNIT, may_fail=True),
                    systemctl("enable", UNIT), systemctl("restart", UNIT),
                ]  # fmt: skip
            case "start":
                return [systemctl("reset-failed", UNIT, may_fail=True), systemctl("start", UNIT)]
            case "stop":
                return [systemctl("stop", UNIT)]
            case "uninstall":
                return [systemctl("disable", "--now", UNIT, may_fail=True)]
            case "state":
                return [systemctl("is-active", UNIT)]

    def state(self, status: int, output: str) -> State:
        match output.strip():
            case "active" | "activating" | "reloading":
                return "running"
            case "failed":
                return "failed"
            case _:
                return "stopped"


def _plain(text: str) -> str:
    """A value that ends with its line. Raises `ConfigError` for what a unit cannot hold."""
    if any(not character.isprintable() for character in text):
        raise ConfigError(
            "odd_path", f"{text!r} cannot be written into a unit of systemd", hint="Rename the folder"
        )
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """One word, whatever is in it."""
    return '"' + _plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
