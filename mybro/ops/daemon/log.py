"""The supervisor's own log: a line for each thing that it did, a megabyte at a time, three kept."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import time
from collections.abc import Iterator
from pathlib import Path

BYTES = 1 << 20
KEPT = 3


@contextlib.contextmanager
def logging_for(path: Path, *, shown: bool) -> Iterator[None]:
    """Write the daemon's records to a file that only its owner reads; `shown`: to stderr as well."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(path, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8")
    ]
    if shown:
        handlers.append(logging.StreamHandler())
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    log = logging.getLogger("mybro.daemon")
    before = log.level, log.propagate
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.level, log.propagate = before
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()
