"""Weights that have gone bad on the disk are cleared away and had anew, where they are mybro's own."""

from __future__ import annotations

import contextlib
import logging

from mybro.config import TranscribeSettings
from mybro.errors import ModelError
from mybro.models import find, lookup
from mybro.models.catalogue import BACKENDS, Backend
from mybro.models.package import PACKAGED
from mybro.models.store import remove, verify
from mybro.transcribe.choice import Fetch, backend_for, recommended, setup_for
from mybro.transcribe.recogniser import Setup

log = logging.getLogger("mybro.transcribe")


def prepare(settings: TranscribeSettings, fetch: Fetch | None = None) -> Setup:
    """`setup_for`; damaged weights are cleared away first. May block. Raises what that raises."""
    try:
        return setup_for(settings, fetch)
    except ModelError as error:
        backend = backend_for(settings.backend)
        if error.code != "model_damaged" or backend == "openai":
            raise
        chosen = recommended(backend, settings.language) if settings.model == "auto" else settings.model
        cleared = [_clear(backend, name) for name in {chosen, PACKAGED}]
        if not any(cleared):
            raise
    return setup_for(settings, fetch)


def mend(setup: Setup) -> bool:
    """Look whole at weights that could not be loaded; whether they were damaged and are cleared away."""
    backend = next((known for known in BACKENDS if known == setup.backend), None)
    return backend is not None and _clear(backend, setup.model)


def _clear(backend: Backend, name: str) -> bool:
    model = lookup(backend, name)
    weights = find(model) if model is not None else None
    # A model of no mark cannot be told from a damaged one, and what is not mybro's is not touched.
    with contextlib.suppress(ModelError):
        if weights is not None and verify(weights):
            remove(weights)
            log.warning("the weights of %s were damaged and are cleared away", name)
            return True
    return False
