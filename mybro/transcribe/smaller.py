"""What to load instead where memory runs out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mybro.clock import Clock
from mybro.errors import ModelError
from mybro.models import find, lookup, models, resolve
from mybro.models.catalogue import BACKENDS, Backend
from mybro.ops.supervision import SMALLER_VARIABLE, Cause, Policy, cause_of
from mybro.transcribe.recogniser import Setup
from mybro.transcribe.threads import in_thread


class Fit:
    """A recogniser's size, after what its workers died of."""

    def __init__(self, language: str, clock: Clock, env: Mapping[str, str] = os.environ) -> None:
        self._language = language
        self._clock = clock
        self._policy = Policy(shrink=steps_asked(env))

    @property
    def shrunk(self) -> bool:
        """Whether a smaller model than the chosen one serves."""
        return self._policy.shrink > 0

    async def at_first(self, setup: Setup) -> Setup:
        """What to begin with: smaller where a supervisor has seen the whole session die."""
        return await in_thread(smaller, setup, self._policy.shrink, self._language)

    async def after(self, status: int | None, setup: Setup) -> Setup:
        """What follows on a worker that ended so; None: for reasons of our own.

        Smaller at most twice an hour: beyond that, the size is not what it dies of.
        """
        if status is None or cause_of(status) is not Cause.MEMORY:
            return setup
        if not self._policy.judge(status, self._clock.now()).restart:
            return setup
        return await in_thread(smaller, setup, 1, self._language)


def steps_asked(env: Mapping[str, str] = os.environ) -> int:
    """By how many sizes a supervisor wants the model to be smaller."""
    asked = env.get(SMALLER_VARIABLE, "")
    return int(asked) if asked.isdecimal() else 0


def smaller(setup: Setup, steps: int, language: str) -> Setup:
    """So many steps down from a setup: smaller models that this machine has, then 8-bit weights.

    Nothing is fetched for it. The setup itself where there is nothing smaller.
    """
    down = _ladder(setup, language)
    return down[min(steps, len(down)) - 1] if steps > 0 and down else setup


def _ladder(setup: Setup, language: str) -> list[Setup]:
    backend = next((known for known in BACKENDS if known == setup.backend), None)
    if backend is None:
        return []
    found = _smaller_models(backend, setup, language)
    last = found[-1] if found else setup
    if backend == "faster-whisper" and last.compute_type != "int8":
        # MLX's quantised weights are models of their own.
        found.append(replace(last, compute_type="int8"))
    return found


def _smaller_models(backend: Backend, setup: Setup, language: str) -> list[Setup]:
    """Those that are here, the largest first."""
    # What is hardly smaller is no remedy.
    limit = 0.8 * _bytes(backend, setup)
    english = language in ("en", "auto")
    sizes = {
        model.name: model.bytes_about
        for model in models(backend)
        if model.bytes_about is not None and model.bytes_about < limit and (english or not model.english_only)
        if find(model) is not None
    }
    found = []
    # Of two of one size, the one for English alone is the better one for English.
    for name in sorted(sizes, key=lambda name: (sizes[name], english == name.endswith(".en")), reverse=True):
        try:
            found.append(replace(setup, model=name, path=str(resolve(backend, name).path)))
        except ModelError:
            continue
    return found


def _bytes(backend: Backend, setup: Setup) -> int:
    known = lookup(backend, setup.model)
    if known is not None and known.bytes_about is not None:
        return known.bytes_about
    return sum(path.stat().st_size for path in Path(setup.path).glob("*") if path.is_file())
