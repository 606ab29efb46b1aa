"""Programs from npm that the tests drive: one version each, pinned with hashes, in the checkout's cache."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mybro.ops.bootstrap.console import SetupError, call, say, step
from mybro.ops.bootstrap.places import CACHE, REQUIREMENTS
from mybro.ops.bootstrap.stamps import Stamp, digest


@dataclass(frozen=True, slots=True)
class NpmTool:
    """A program whose package.json and lock stand in requirements/<folder>."""

    folder: str
    binary: str
    """Its name under node_modules/.bin."""
    variable: str
    """The environment variable that chooses another one."""
    title: str
    """What it is, after "fetching" and before "for the tests"."""
    flags: Sequence[str] = ()
    """More for `npm ci`."""
    finish: Callable[[NpmTool], None] | None = None
    """What is left to do after npm; raises `SetupError` where the program is not as it should be."""

    @property
    def place(self) -> Path:
        return CACHE / self.folder

    @property
    def path(self) -> Path:
        return self.place / "node_modules" / ".bin" / self.binary

    @property
    def manifest(self) -> Path:
        return REQUIREMENTS / self.folder / "package.json"

    def provide(self) -> Path | None:
        """Where it is; None, with one line said, where it cannot be had."""
        chosen = os.environ.get(self.variable)
        if chosen:
            return Path(chosen)
        stamp = Stamp(self.place / "stamp.json")
        files = [self.manifest, self.manifest.with_name("package-lock.json")]
        key = digest(files, sys.platform, platform.machine())
        if stamp.fresh(key):
            return self.path
        left_out = f"the tests of {self.title} are left out"
        if shutil.which("npm") is None or shutil.which("node") is None:
            say(f"{left_out}: npm is not here")
            return None
        try:
            with step(f"fetching {self.title} for the tests"):
                self._fetch(files)
        except SetupError as trouble:
            say(f"{trouble}\nmybro: {left_out}")
            return None
        stamp.write(key, left=[self.path])
        return self.path

    def _fetch(self, files: Sequence[Path]) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        for file in files:
            shutil.copy(file, self.place)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", *self.flags]
        call(["npm", "ci", *flags], "npm ci", cwd=self.place)
        if self.finish:
            self.finish(self)
