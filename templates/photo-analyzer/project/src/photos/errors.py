"""An error that a caller may see."""

from __future__ import annotations


class PhotoError(Exception):
    """A stable code, a sentence, and what to do about it."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
