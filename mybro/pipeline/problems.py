"""What to tell a person of an error."""

from __future__ import annotations

import logging

from mybro.errors import MybroError, Problem

log = logging.getLogger(__name__)


def problem_of(error: BaseException) -> Problem:
    """What to tell a person of an error; one that is not a `MybroError` is a fault of mybro's own."""
    if isinstance(error, MybroError):
        return error.problem
    log.error("an error inside mybro: %r", error, exc_info=error)
    return Problem("internal_error", f"Something went wrong inside mybro ({type(error).__name__})")
