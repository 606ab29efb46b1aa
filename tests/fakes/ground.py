"""A checkout with nothing but what `make` needs, and programs that only write down how they were called."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

from tests.program import measured

ROOT = Path(__file__).resolve().parents[2]

UV = """#!/bin/sh
echo "uv $*" >> "{log}"
case "$1 $2" in
  "--version ") echo "uv 0.13.9" ;;
  "venv "*)
    for venv in "$@"; do :; done
    mkdir -p "$venv/bin" "$venv/lib/python3.11/site-packages"
    printf 'version_info = {version}\\n' > "$venv/pyvenv.cfg"
    echo "VIRTUAL_ENV=$venv" > "$venv/bin/activate"
    ln -s "{python}" "$venv/bin/python" ;;
  "pip install")
    if [ -e "{folder}/uv-fails" ]; then echo "no network today" >&2; exit 2; fi
    mkdir -p .venv/lib/python3.11/site-packages/thing-1.0.dist-info
    printf '#!/bin/sh\\necho "mybro $*"\\n' > .venv/bin/mybro
    chmod +x .venv/bin/mybro
    if [ -e "{folder}/uv-hangs" ]; then echo hanging >> "{log}"; exec sleep 30; fi ;;
esac
"""
RECORDER = '#!/bin/sh\necho "{name} $*" >> "{log}"\nexit {status}\n'


class Checkout:
    """The copy. `make` runs a target as the Makefile does, with stubs first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stubs = folder.parent / "stubs"
        self.log = folder.parent / "calls.log"
        self.stubs.mkdir()
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        for name in ("pyproject.toml", "Makefile", "mybro/__init__.py", "mybro/ops/__init__.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "mybro/ops/bootstrap", folder / "mybro/ops/bootstrap", ignore=leave)
        version = ".".join(map(str, sys.version_info[:3]))
        python = Path(sys.executable).resolve()
        self.stub("uv", UV.format(log=self.log, folder=self.stubs, version=version, python=python))
        # Nothing is ever installed on the machine by a test.
        for name in ("apt-get", "sudo"):
            self.record(name, status=1)

    def stub(self, name: str, script: str) -> None:
        path = self.stubs / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def record(self, name: str, *, status: int = 0) -> None:
        """A program that notes its arguments and ends with `status`."""
        self.stub(name, RECORDER.format(name=name, log=self.log, status=status))

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": f"{self.stubs}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.folder.parent),
            "PYTHON": str(Path(sys.executable).resolve()),
            "LANG": "C.UTF-8",
            **measured(),
        }

    def command(self, *target: str) -> list[str]:
        return ["sh", str(self.folder / "requirements/python.sh"), "-m", "mybro.ops.bootstrap", *target]

    def make(self, *target: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a target to its end."""
        return subprocess.run(
            self.command(*target), env={**self.env, **env}, capture_output=True, text=True, timeout=60
        )

    def calls(self, of: str = "") -> list[str]:
        """What the stubs noted since the last time this was asked."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines()
        self.log.unlink()
        return [line for line in lines if line.startswith(of)]
