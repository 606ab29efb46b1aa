"""The person's own words: replacements from the settings, and what mybro was told that it got wrong.

What was learned is a small file in the data folder, {"heard": "written"}, to be read, changed or deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mybro.config import WordsSettings, data_dir
from mybro.errors import TranscriptionError
from mybro.events import Envelope, Transcript
from mybro.index.lexicon import sounds_of, spoken
from mybro.index.sound import likeness
from mybro.transcribe.dictation import written
from mybro.transcribe.heard import pieces, said
from mybro.words import taught

MOST = 500
"""What was learned first is forgotten first."""
_UNEVEN = 0.06
LEAST = 0.5
"""How alike what was heard must be to what was meant, to be replaced from then on."""


def place() -> Path:
    """The file of what was learned."""
    return data_dir() / "words.json"


def learned() -> dict[str, str]:
    """What was learned, as {heard: written}; empty where there is nothing that can be read."""
    try:
        found = json.loads(place().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(heard): str(means) for heard, means in found.items() if str(heard).strip()}


def keep(words: dict[str, str]) -> None:
    """Write the file anew. Raises `TranscriptionError` where the disk refuses it."""
    file = place()
    half = file.with_suffix(f".{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half.write_text(json.dumps(dict(list(words.items())[-MOST:]), indent=2, ensure_ascii=False), "utf-8")
        half.replace(file)
    except OSError as error:
        raise TranscriptionError("words_not_kept", f"{file} cannot be written: {error.strerror}") from None


class OwnWords:
    """Puts the person's words in; watches a session's events to learn."""

    def __init__(self, settings: WordsSettings, known: Callable[[str], str] = lambda text: text) -> None:
        """`known` writes a spoken name as the repository does."""
        self._settings = settings
        self._known = known
        self._last: Transcript | None = None
        self._pattern: re.Pattern[str] | None = None
        self._table: dict[str, str] = {}
        self._read = -1
        self._refresh()

    def apply(self, text: str) -> str:
        """The text with every replacement made; whole words only, the longest first."""
        self._refresh()
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._table[_key(found[0])], text)

    def watch(self, envelope: Envelope) -> None:
        """Learn from "that was wrong, it is X", said after a sentence that was misheard."""
        event = envelope.event
        if not isinstance(event, Transcript) or not event.final or not event.text.strip():
            return
        right = taught(event.heard or event.text)
        if right is None:
            self._last = event if event.model != "typed" else self._last
        elif self._last is not None:
            # A full disk costs what would have been learned, never the session.
            with contextlib.suppress(TranscriptionError):
                self.learn(self._last.text, right)

    def learn(self, sentence: str, right: str) -> tuple[str, str] | None:
        """Replace from now on what was heard for `right` in a sentence; None where nothing is like it."""
        meant = written(right)
        meant = meant if meant != right else self._known(right)
        found = _most_alike(sentence, spoken(meant))
        if found is None or _key(found) == _key(meant):
            return None
        words = learned()
        words.pop(_key(found), None)
        words[_key(found)] = meant
        keep(words)
        return found, meant

    def _refresh(self) -> None:
        try:
            stamp = place().stat().st_mtime_ns
        except OSError:
            stamp = 0
        if stamp == self._read:
            return
        self._read = stamp
        table = {**self._settings.replacements, **learned()}
        self._table = {_key(heard): means for heard, means in table.items() if _key(heard)}
        longest = sorted(self._table, key=len, reverse=True)
        alternatives = "|".join(re.escape(heard).replace(r"\ ", r"\s+") for heard in longest)
        self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE) if longest else None


def _key(text: str) -> str:
    return " ".join(text.lower().strip(" .,;:!?").split())


def _most_alike(sentence: str, words: Sequence[str]) -> str | None:
    """The stretch of a sentence that sounds most like the words."""
    heard = pieces(sentence)
    best, found = LEAST, None
    for start in range(len(heard)):
        for end in range(start + 1, min(len(heard), start + len(words) + 3) + 1):
            spelled = said(heard[start:end])
            if not spelled:
                continue
            fit = max(likeness(one, other) for one in sounds_of(spelled) for other in sounds_of(words))
            fit -= _UNEVEN * abs(len(spelled) - len(words))
            if fit > best:
                best, found = fit, sentence[heard[start].start : heard[end - 1].end]
    return found
