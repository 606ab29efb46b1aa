"""A recogniser whose words are put right: the person's own words, dictated code, the repository's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from mybro.events import AudioBlock, Transcribed
from mybro.transcribe.correction import correct
from mybro.transcribe.dictation import written
from mybro.transcribe.names import RepositoryNames, expected
from mybro.transcribe.own_words import OwnWords

LANGUAGES = ("en", "")
"""Names are found by how English speakers say them."""


class Recognises(Protocol):
    """A recogniser."""

    expected: str

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None: ...

    def drop(self, request: int) -> None: ...

    async def aclose(self) -> None: ...


class CorrectedTranscription:
    """Stands before a recogniser; what it changed is told in `Transcribed.heard`."""

    def __init__(
        self, recogniser: Recognises, own: OwnWords, names: RepositoryNames, settled: Callable[[str], bool]
    ) -> None:
        """`settled` tells of sentences that are understood as they are: see `correct`."""
        self._recogniser = recogniser
        self.own = own
        self.names = names
        self._settled = settled

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None:
        """As the recogniser's."""
        self._recogniser.expected = expected(self.names.lexicon)
        heard = await self._recogniser.transcribe(turn, request, audio, speculative=speculative)
        return heard if heard is None else self.put_right(heard)

    def put_right(self, heard: Transcribed) -> Transcribed:
        """What was heard, as it is to be written."""
        text = heard.text
        if not text.strip() or self._settled(text):
            return heard
        changed = self.own.apply(text)
        others: tuple[str, ...] = ()
        if heard.language in LANGUAGES:
            changed = written(changed)
            corrected = correct(changed, self.names.lexicon, settled=self._settled)
            changed, others = corrected.text, corrected.alternatives
        return replace(heard, text=changed, heard=text if changed != text else "", alternatives=others)

    def drop(self, request: int) -> None:
        """As the recogniser's."""
        self._recogniser.drop(request)

    async def aclose(self) -> None:
        """End the recogniser."""
        await self._recogniser.aclose()
