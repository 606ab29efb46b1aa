"""Smart Turn's weights: the one file that is needed of a package, fetched on request, its sha256 pinned."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mybro.errors import ModelError
from mybro.models.files import Pin, faults, models_dir
from mybro.models.installer import Run, installer
from mybro.models.installer import run as run_installer
from mybro.ops.installed import in_package

REQUIREMENT = "pipecat-ai==1.14.0"
"""12 MB with the weights inside (BSD-2); unpacked for that one file, never imported."""
FILE = "smart-turn-v3.2-cpu.onnx"
PIN = Pin(8_679_182, "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f")
_PACKAGE = "pipecat"
_INSIDE = f"audio/turn/smart_turn/data/{FILE}"


def folder() -> Path:
    """Where mybro keeps the weights."""
    return models_dir() / "turn"


def weights() -> Path | None:
    """The weights, in mybro's store or an installed pipecat; None where there are none of the right size."""
    places = [folder()]
    installed = in_package(_PACKAGE, _INSIDE)
    if installed is not None:
        places.append(installed.parent)
    return next((place / FILE for place in places if not faults(place, {FILE: PIN}, sizes_only=True)), None)


def fetch(say: Callable[[str], None], run: Run = run_installer) -> Path:
    """Get the weights into the store; `say` hears of each command. Raises `ModelError`."""
    target = folder()
    with tempfile.TemporaryDirectory() as unpacked:
        command = [*installer(), "--target", unpacked, "--no-deps", REQUIREMENT]
        say("$ " + " ".join(command))
        status = run(command)
        source = Path(unpacked, _PACKAGE, _INSIDE)
        wrong = faults(source.parent, {FILE: PIN})
        if status or wrong:
            why = f"the command ended with status {status}" if status else wrong[0]
            raise ModelError("not_installed", why, hint="See above", retryable=True)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target / f"{FILE}.new")
        (target / f"{FILE}.new").replace(target / FILE)
    return target / FILE
