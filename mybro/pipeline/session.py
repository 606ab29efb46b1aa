"""Whole sessions, built from the settings: which stages there are, and what feeds them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mybro.audio.ear import Ear
from mybro.audio.source import AudioSource
from mybro.brain.brain import Brain
from mybro.brain.dialog import Dialog
from mybro.clock import Clock, MonotonicClock
from mybro.config import Settings, data_dir
from mybro.errors import ExecutorError
from mybro.events import Answered, Envelope, Event, JobFailed, JobFinished, JobStopped, Recalled, Typed
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.jobs import Executor, limits
from mybro.intent import Intent
from mybro.journal import Journal
from mybro.pipeline.pipeline import Pipeline, Watcher
from mybro.pipeline.ports import Stages
from mybro.pipeline.state import Question
from mybro.transcribe.service import Transcription
from mybro.wire import to_wire

HEARD = frozenset(
    {"SourceOpened", "SourceTroubled", "SourceClosed", "SpeechStarted", "SpeechEnded", "Transcript", "Intent"}
)
"""What `mybro hear` shows."""

Decide = Callable[[Question], Awaitable[Answered]]
"""Has the person answer a question by other means than the voice."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session at work."""

    pipeline: Pipeline
    settings: Settings
    clock: Clock
    journal: Journal
    transcription: Transcription | None

    async def listen(self, source: AudioSource, *, lockstep: bool) -> None:
        """Feed a source to its end.

        In lockstep sound waits until whatever the last event set in motion has come to its end, so that
        a recording is a conversation.
        """
        await listen(self.pipeline, self.settings, source, lockstep=lockstep, jobs=True)

    async def offer_unfinished(self) -> None:
        """Offer what an earlier session accepted and never began; what it began is only told of."""
        for left in await self.journal.unfinished():
            if left.offered and left.utterance.intent is not None:
                turn = self.pipeline.next_turn()
                await self.journal.adopt(left.utterance.id, turn)
                await self.pipeline.post(Recalled(turn, left.utterance.intent))


@contextlib.asynccontextmanager
async def session(
    settings: Settings, repo: Path, watchers: Sequence[Watcher] = (), *, ears: bool, voice: bool = True
) -> AsyncIterator[Session]:
    """A session in a repository, from its first stage to an orderly end.

    Without `ears` no recogniser is started, without `voice` nothing is spoken. Raises the stages' errors.
    """
    clock = MonotonicClock()
    pipeline = Pipeline(clock=clock, watchers=tuple(watchers))
    journal = await Journal.open(settings=settings.journal)
    try:
        await journal.begin(repo)
        transcription = Transcription(settings.transcribe, clock=clock) if ears else None
        stages = Stages(
            Brain(settings.brain, clock),
            transcription,
            _executor(settings, repo, pipeline, clock),
            _mouth(settings, pipeline, clock) if voice and settings.speak.backend != "none" else None,
            journal,
        )
    except BaseException:
        await journal.aclose()
        raise
    pipeline.attach(stages)
    async with pipeline:
        if transcription is not None:
            await transcription.start()
        yield Session(pipeline, settings, clock, journal, transcription)


def _executor(settings: Settings, repo: Path, pipeline: Pipeline, clock: Clock) -> Executor:
    from mybro.executor.claude.hand import ClaudeHand
    from mybro.executor.local import LocalHand

    chosen = settings.executor
    store = CheckpointStore(data_dir() / "checkpoints", repo, limits(chosen))
    hands = (LocalHand(chosen), ClaudeHand(chosen, clock))
    return Executor(chosen, repo, pipeline.post, hands, store, clock)


def _mouth(settings: Settings, pipeline: Pipeline, clock: Clock) -> Any:
    return None


async def listen(
    pipeline: Pipeline, settings: Settings, source: AudioSource, *, lockstep: bool, jobs: bool
) -> None:
    """Feed a source to its end; in lockstep each event waits for the last one's effects (and its jobs)."""

    async def emit(event: Event) -> None:
        await pipeline.post(event)
        if lockstep:
            await pipeline.settled(jobs=jobs)

    await Ear(settings.audio, emit, pipeline.next_turn).listen(source)
    await pipeline.settled(jobs=jobs)


async def hear(
    settings: Settings,
    sources: Sequence[AudioSource],
    show: Callable[[dict[str, Any]], None],
    *,
    lockstep: bool,
) -> None:
    """Recordings through ear, transcription and brain; nothing is done. Raises the stages' errors."""

    def watch(envelope: Envelope) -> None:
        line = to_wire(envelope)
        if line["event"] in HEARD:
            show(line)

    clock = MonotonicClock()
    transcription = Transcription(settings.transcribe, clock=clock)
    pipeline = Pipeline(clock=clock, acting=False, watchers=(watch,))
    pipeline.attach(Stages(Brain(settings.brain, clock), transcription))
    async with pipeline:
        await transcription.start()
        for source in sources:
            await listen(pipeline, settings, source, lockstep=lockstep, jobs=False)


async def understand(settings: Settings, text: str) -> Intent:
    """What a sentence would mean, without a session."""
    brain = Brain(settings.brain, MonotonicClock())
    try:
        return await brain.understand(text, Dialog())
    finally:
        await brain.aclose()


async def say(settings: Settings, repo: Path, text: str, watch: Watcher, decide: Decide) -> bool:
    """Do what a typed sentence says; False where it failed, was stopped or was not allowed."""
    good = True

    def judge(envelope: Envelope) -> None:
        nonlocal good
        match envelope.event:
            case JobFinished(outcome=outcome):
                good = good and outcome.ok
            case JobFailed() | JobStopped():
                good = False

    async with session(settings, repo, (watch, judge), ears=False) as running:
        pipeline = running.pipeline
        await pipeline.post(Typed(pipeline.next_turn(), text))
        await pipeline.settled()
        while (asked := pipeline.state.asked) is not None:
            answer = await decide(asked)
            good = good and answer.yes
            await pipeline.post(answer)
            await pipeline.settled()
    return good


def find_repo(path: str | Path | None) -> Path:
    """The top of the working tree that `path` (default: the current folder) lies in, or that folder.

    Raises `ExecutorError` where it does not exist, or is the whole home folder or disk.
    """
    start = Path(path or ".").expanduser().resolve()
    if not start.is_dir():
        raise ExecutorError("no_folder", f"{start} is not a folder", hint="Name a repository with --repo")
    top = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)
    if top in (Path.home(), Path(top.anchor)):
        raise ExecutorError(
            "not_a_repository",
            f"{top} is not a repository",
            hint="Go to a repository, or name one with --repo",
        )
    return top


async def first_of(*waits: Awaitable[Any]) -> None:
    """Return when the first is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
