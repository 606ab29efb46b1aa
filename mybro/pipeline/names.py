"""The names of a session's repository, between the recogniser and the turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mybro.brain.grammar import parse
from mybro.config import WordsSettings
from mybro.events import Envelope, JobFinished, JobStopped, SpeechStarted
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.questions import open_answers
from mybro.transcribe.answers import Answers
from mybro.transcribe.corrected import CorrectedTranscription, Recognises
from mybro.transcribe.heard import pieces, said
from mybro.transcribe.names import LONG_WAIT_S, RepositoryNames, meant_by, settled_by
from mybro.transcribe.own_words import OwnWords

STALE_S = 60.0
"""A person who edits beside mybro is followed this closely, and only while somebody speaks."""


def put_right(
    settings: WordsSettings,
    recogniser: Recognises,
    repo: Path | None,
    answers: Callable[[int], Answers | None] = lambda _turn: None,
) -> CorrectedTranscription:
    """The recogniser, its words put right. Until `names.refresh` the repository's names are not known.

    `answers` tells what a turn may choose from.
    """
    names = RepositoryNames(repo if settings.repository else None, settings.vocabulary)

    def as_written(spoken: str) -> str:
        found = names.lexicon.exact(said(pieces(spoken)))
        return max(found.names.values(), key=lambda name: name.weight).written if found else spoken

    return CorrectedTranscription(
        recogniser, OwnWords(settings, as_written), names, settled_by(parse), meant_by(parse), answers
    )


def follow(
    settings: WordsSettings, recogniser: Recognises | None, repo: Path, pipeline: Pipeline
) -> CorrectedTranscription | None:
    """The same for a session: names are kept up to date, and it learns from what was wrong."""
    if recogniser is None:
        return None
    heard = put_right(settings, recogniser, repo, lambda turn: open_answers(pipeline.state, turn))
    pipeline.watch(heard.own.watch)
    # Beside the loading of the model, so that the names are there for the first sentence.
    pipeline.spawn(heard.names.refresh(), counts=False)
    pipeline.watch(_Follower(heard.names, pipeline).watch)
    return heard


async def known(heard: CorrectedTranscription | None) -> None:
    """Wait for the names: what is heard in a recording must not depend on how quick the machine is."""
    if heard is not None:
        await heard.names.known(LONG_WAIT_S)


class _Follower:
    """Brings the names up to date after work, and now and then while somebody speaks."""

    def __init__(self, names: RepositoryNames, pipeline: Pipeline) -> None:
        self._names = names
        self._pipeline = pipeline
        self._next = STALE_S

    def watch(self, envelope: Envelope) -> None:
        worked = isinstance(envelope.event, JobFinished | JobStopped)
        if worked or (isinstance(envelope.event, SpeechStarted) and envelope.at >= self._next):
            self._next = envelope.at + STALE_S
            self._pipeline.spawn(self._names.refresh(), counts=False)
