"""A part of a lane: some files of tests, run by a pytest of their own under coverage."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mybro.ops.bootstrap.console import say
from mybro.ops.bootstrap.places import ROOT, in_venv

NO_TESTS_COLLECTED = 5
INTERRUPTED = (2, 130, -2)
SOME_FAILED = 1
SLOWEST = 10
"""So many of the slowest are named, as a suite that takes long is not run."""
_JOURNAL = "test_journal_"
"""SQLAlchemy runs the journal's synchronous half in greenlets."""


@dataclass(eq=False)
class Part:
    """Files of one lane, and a folder for what is noted, printed and measured."""

    lane: str
    marks: str
    files: Sequence[str]
    folder: Path
    env: dict[str, str]
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        first, last = (Path(self.files[at]).stem.removeprefix("test_") for at in (0, -1))
        return f"{self.lane}, {first} to {last}"

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"

    def run(self) -> int:
        """Run it to its end; what it prints goes to `output`. Returns pytest's exit status."""
        self.folder.mkdir(parents=True)
        children = self.folder / "children.ini"
        children.write_text(settings_of_children(), encoding="utf-8")
        measured = {
            **self.env,
            "COVERAGE_FILE": str(self.folder / "data"),
            "COVERAGE_PROCESS_START": str(children),
        }
        # To follow greenlets costs as much as the rest of the measuring, so it is done where there are some.
        threads = "thread,greenlet" if any(_JOURNAL in file for file in self.files) else "thread"
        command = [
            in_venv("coverage"), "run", f"--concurrency={threads}", *self._pytest(),
            f"--durations={SLOWEST}", "--durations-min=1", "--no-header",
        ]  # fmt: skip
        with self.output.open("wb") as output:
            if self._stopped:
                return INTERRUPTED[0]
            self._child = subprocess.Popen(
                [str(part) for part in command], cwd=ROOT, env=measured,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return self._child.wait()

    def stop(self, patience_s: float = 0.0) -> None:
        """Keep it from starting, or interrupt it if it has not ended within `patience_s` seconds."""
        self._stopped = True
        if self._child is None:
            return
        try:
            self._child.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._child.send_signal(signal.SIGINT)

    def failures(self) -> list[str]:
        return failures(self.folder / "pytest")

    def alone(self) -> int:
        """Run what failed once more; returns pytest's exit status."""
        failed = self.failures()
        say(f"tests: {self.name}: {len(failed)} failed beside others; once more, alone")
        again = [in_venv("python"), *self._pytest(), "--last-failed", "--last-failed-no-failures=none"]
        status = subprocess.run(
            [str(part) for part in again], cwd=ROOT, env=self.env, check=False
        ).returncode  # fmt: skip
        if status == 0:
            for test in failed:
                say(f"tests: PASSED ONLY ALONE: {test}")
        return status

    def _pytest(self) -> list[str]:
        return ["-m", "pytest", "-m", self.marks, "-o", f"cache_dir={self.folder / 'pytest'}", *self.files]


def settings_of_children() -> str:
    """Coverage's settings in children: only what they run, as the parent lists what was never run."""
    return f"[run]\nparallel = true\npatch = _exit\nconcurrency = thread\ninclude = {ROOT / 'mybro'}/*\n"


def failures(cache: Path) -> list[str]:
    """The tests that pytest, with this folder as its cache, noted as failed."""
    noted = cache / "v" / "cache" / "lastfailed"
    try:
        return sorted(json.loads(noted.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []
