"""A recogniser whose words are put right: the person's own words, dictated code, the repository's names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from mybro.errors import TranscriptionError
from mybro.events import SAMPLE_RATE, AudioBlock, Transcribed
from mybro.transcribe import answers as choosing
from mybro.transcribe.answers import Answers
from mybro.transcribe.correction import correct
from mybro.transcribe.dictation import written
from mybro.transcribe.guesses import guesses, is_better
from mybro.transcribe.names import RepositoryNames
from mybro.transcribe.near import Meant, mended
from mybro.transcribe.own_words import OwnWords

LANGUAGES = ("en", "")
"""Names are found by how English speakers say them."""


class Recognises(Protocol):
    """A recogniser."""

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, expected: str = ""
    ) -> Transcribed | None: ...

    def drop(self, request: int) -> None: ...

    async def aclose(self) -> None: ...


class CorrectedTranscription:
    """Stands before a recogniser; what it changed is told in `Transcribed.heard`.

    Where a name is likely and none was found, it has the recogniser listen once more, with the names in mind
    that sound a little like what it heard.
    """

    def __init__(
        self,
        recogniser: Recognises,
        own: OwnWords,
        names: RepositoryNames,
        settled: Callable[[str], bool],
        meant: Meant = lambda _text: "",
        answers: Callable[[int], Answers | None] = lambda _turn: None,
    ) -> None:
        """`settled` tells of sentences that are understood as they are: see `correct`.

        `meant` tells what a sentence asks for: see `mended`. `answers` tells what a turn may choose from.
        """
        self._recogniser = recogniser
        self.own = own
        self.names = names
        self._settled = settled
        self._meant = meant
        self._answers = answers

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None:
        """As the recogniser's."""
        heard = await self._recogniser.transcribe(turn, request, audio, speculative=speculative)
        if heard is None:
            return None
        if place := await self._place(heard, _second(request), audio, speculative=speculative):
            return place
        await self.names.known()
        # In a thread: a long sentence and a large repository take some of a tenth of a second.
        right, wanted = await asyncio.to_thread(self._considered, heard)
        if not wanted:
            return right
        return await self._again(right, _second(request), audio, wanted, speculative=speculative)

    def _considered(self, heard: Transcribed) -> tuple[Transcribed, list[str]]:
        """What was heard, put right, and the names for which it is worth listening again."""
        right = self.put_right(heard)
        plain = heard.language in LANGUAGES and heard.text.strip() and not self._settled(heard.text)
        if right.heard or right.alternatives or not plain:
            return right, []
        return right, guesses(heard.text, self.names.lexicon, heard.average_logprob)

    async def _again(
        self, first: Transcribed, request: int, audio: AudioBlock, wanted: list[str], *, speculative: bool
    ) -> Transcribed:
        """What a second hearing found, if it found one of the names; else the first."""
        expected = ", ".join(reversed(wanted)) + "."
        heard = await self._once_more(first, request, audio, expected, speculative=speculative)
        if heard is None or self._settled(heard.text):
            return first
        found = correct(heard.text, self.names.lexicon, settled=self._settled)
        if not is_better(first.text, found.text, wanted):
            return first
        return replace(heard, text=found.text)

    async def _place(
        self, first: Transcribed, request: int, audio: AudioBlock, *, speculative: bool
    ) -> Transcribed | None:
        """A place among a question's answers that a second hearing found where the first found nothing."""
        answers = self._answers(first.turn) if first.language in LANGUAGES else None
        seconds = (audio.end - audio.start) / SAMPLE_RATE
        if answers is None or not choosing.is_worth_it(first.text, seconds, answers):
            return None
        expected = choosing.expected(answers.labels)
        heard = await self._once_more(first, request, audio, expected, speculative=speculative)
        if heard is None or not choosing.is_place(first.text, heard.text, heard.average_logprob, answers):
            return None
        return heard

    async def _once_more(
        self, first: Transcribed, request: int, audio: AudioBlock, expected: str, *, speculative: bool
    ) -> Transcribed | None:
        """The same sound heard with something in mind, as an answer to the first request."""
        try:
            heard = await self._recogniser.transcribe(
                first.turn, request, audio, speculative=speculative, expected=expected
            )
        except TranscriptionError:
            return None
        if heard is None:
            return None
        spent = first.processing_ms + heard.processing_ms
        return replace(
            heard, request=first.request, heard=first.text, called=first.called, processing_ms=spent
        )

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
            if corrected.text == text and not corrected.alternatives:
                nearest = mended(text, self._meant, heard.average_logprob)
                return replace(heard, text=nearest, heard=text) if nearest else heard
            changed, others = corrected.text, corrected.alternatives
        return replace(heard, text=changed, heard=text if changed != text else "", alternatives=others)

    def drop(self, request: int) -> None:
        """As the recogniser's."""
        self._recogniser.drop(request)
        self._recogniser.drop(_second(request))

    async def aclose(self) -> None:
        """End the recogniser."""
        await self._recogniser.aclose()


def _second(request: int) -> int:
    """The number of a request's second hearing: one that nobody else uses."""
    return -request - 1
