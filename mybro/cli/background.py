"""A session that nobody looks at: what it has to say goes to its supervisor's log, without what was said."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

from mybro.errors import MybroError
from mybro.ops.supervision import FAULT


@contextlib.contextmanager
def unattended() -> Iterator[None]:
    """Log to stderr as JSON lines; an error that nobody foresaw becomes the exit status FAULT.

    Its kind and place are told, its text is not: it may hold what somebody said.
    """
    from mybro.server.logs import formatter

    handler = logging.StreamHandler()
    handler.setFormatter(formatter(transcripts=False))
    handler.addFilter(_without_values)
    # Restarted after a fault, Python's development mode is on.
    handler.setLevel(logging.DEBUG if sys.flags.dev_mode else logging.WARNING)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    except (MybroError, click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
        click.echo(f"mybro: {type(error).__name__} at {where}", err=True)
        raise click.exceptions.Exit(FAULT) from None
    finally:
        root.removeHandler(handler)


def _without_values(record: logging.LogRecord) -> bool:
    """asyncio tells of tasks and callbacks with what they were given, which may be what somebody said."""
    if record.name != "asyncio":
        return True
    # What another handler has made of it before.
    record.__dict__.pop("message", None)
    text = record.getMessage()
    found = re.match(r"[\w ]+", text)
    record.msg, record.args = (found[0].strip() if found else "asyncio", ())
    # A slow callback is told by nothing but its values.
    return not text.startswith("Executing")
