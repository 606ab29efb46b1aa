"""The words that sentences begin with, by what they want."""

from __future__ import annotations

from mybro.vocabulary import words

_REQUESTS = words("requests")

VERBS = _REQUESTS["VERBS"]
"""Imperatives that ask for work."""
ASKING = _REQUESTS["ASKING"]
"""Words that begin a question."""
READING = _REQUESTS["READING"]
"""Imperatives that only want to know."""
READING_PHRASES = tuple(_REQUESTS["READING_PHRASES"])
"""The same, of several words."""
CHAT = _REQUESTS["CHAT"]
"""Whole sentences that need no repository."""
