"""Whole sessions, built from the settings: which stages there are, and how they begin and end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mybro.audio.playback import DevicePlayer, sound_available
from mybro.audio.smart_turn import SmartTurn, smart_turn
from mybro.audio.sound import SoundProcess
from mybro.audio.source import AudioSource
from mybro.brain.brain import Brain
from mybro.clock import Clock, MonotonicClock
from mybro.config import ExecutorSettings, Settings, data_dir
from mybro.errors import ExecutorError
from mybro.events import (
    Answered,
    Envelope,
    JobFailed,
    JobFinished,
    JobStopped,
    StageFailed,
    Typed,
)
from mybro.executor.checkpoint import CheckpointStore, Limits
from mybro.executor.choice import coding_hand
from mybro.executor.coding import CodingHand
from mybro.executor.crew import Crew
from mybro.executor.deciding import DecidingHand
from mybro.executor.hand import Report
from mybro.executor.held_clock import HeldClock
from mybro.executor.jobs import Executor
from mybro.executor.local import LocalHand
from mybro.executor.local import warm_up as local_actions
from mybro.journal import Journal
from mybro.pipeline import pauses
from mybro.pipeline.feed import make_ear
from mybro.pipeline.names import follow, known
from mybro.pipeline.own_voice import owner_only
from mybro.pipeline.partials import show_partials
from mybro.pipeline.patience import Patience
from mybro.pipeline.pipeline import Pipeline, Watcher
from mybro.pipeline.ports import Stages, Thinks
from mybro.pipeline.recovering import Recovery
from mybro.pipeline.state import Question
from mybro.pipeline.timing import TurnClock
from mybro.pipeline.waking import phrase_of
from mybro.speak.mouth import Mouth
from mybro.speak.player import PlayerPort, SilentPlayer
from mybro.speak.speaker import choose
from mybro.transcribe.choice import Fetch
from mybro.transcribe.corrected import CorrectedTranscription
from mybro.transcribe.service import Transcription

PAUSES = "pauses.json"
"""In the data folder: the pauses that the person makes within sentences."""

Decide = Callable[[Question], Awaitable[Answered]]
"""Has the person answer a question by other means than the voice."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session at work."""

    pipeline: Pipeline
    settings: Settings
    clock: Clock
    journal: Journal
    sound: SoundProcess
    brain: Brain
    transcription: Transcription | None
    executor: Crew
    mouth: Mouth | None
    repo: Path
    coder: CodingHand
    heard: CorrectedTranscription | None

    def warm_up(self) -> None:
        """Get ready beside everything else what would make the first sentence wait."""
        self.pipeline.spawn(self.brain.warm_up(), counts=False)
        self.pipeline.spawn(self._warm_coder(), counts=False)
        self.pipeline.spawn(asyncio.to_thread(local_actions), counts=False)
        if self.mouth is not None:
            self.pipeline.spawn(self.mouth.warm_up(), counts=False)

    async def _warm_coder(self) -> None:
        # What is wrong with it is told when it is needed.
        with contextlib.suppress(ExecutorError):
            await self.coder.prewarm(self.repo)

    async def listen(self, source: AudioSource, *, lockstep: bool) -> None:
        """Feed a source to its end, and wait for what it set in motion; see `make_ear`."""
        await known(self.heard if lockstep else None)
        await make_ear(self.pipeline, self.settings, lockstep=lockstep, jobs=True).listen(source)
        await self.pipeline.settled()

    async def recover(self) -> None:
        """Tell of what an earlier session left behind: offer what it never began, run nothing again."""
        await Recovery(self).run()


@contextlib.asynccontextmanager
async def session(
    settings: Settings,
    repo: Path,
    watchers: Sequence[Watcher] = (),
    *,
    ears: bool,
    voice: bool | None = None,
    record: Path | None = None,
    fetch: Fetch | None = None,
    think: Callable[[Brain], Thinks] | None = None,
) -> AsyncIterator[Session]:
    """A session in a repository, from its first stage to an orderly end.

    Without `ears` no recogniser is started; `fetch` gets a model that is missing. `voice` None speaks where
    there is a loudspeaker; `record` writes what is spoken to a WAV file; `think` puts something around the
    brain. Raises the stages' errors.
    """
    clock = MonotonicClock()
    judge = smart_turn(settings.turn) if ears else None
    pipeline = _pipeline(settings, clock, watchers, judge)
    async with contextlib.AsyncExitStack() as ending:
        sound = SoundProcess()
        ending.push_async_callback(sound.aclose)
        mouth = await _mouth(settings, pipeline, clock, sound, voice=voice, record=record)
        journal = await Journal.open(settings=settings.journal)
        ending.push_async_callback(journal.aclose)
        await journal.begin(repo)
        transcription = _transcription(settings, clock) if ears else None
        work_clock = HeldClock(clock)
        coder = coding_hand(settings.executor, work_clock)
        executor = _crew(settings.executor, repo, pipeline, work_clock, coder)
        brain = Brain(settings.brain, clock)
        heard = follow(settings.words, transcription, repo, pipeline)
        pipeline.attach(
            Stages(
                think(brain) if think else brain,
                owner_only(settings.audio, heard),
                executor,
                mouth,
                journal,
                judge,
                speculate=settings.brain.speculate,
            )
        )
        if ears and settings.turn.learn_pauses:
            ending.callback(lambda: pauses.write(data_dir() / PAUSES, pipeline.state.pauses))
        await ending.enter_async_context(pipeline)
        if transcription is not None:
            show_partials(pipeline, transcription, settings.transcribe)
            await transcription.start(fetch)
        if journal.notice is not None:
            await pipeline.post(StageFailed("journal", journal.notice))
        pipeline.watch(TurnClock(pipeline.post_own).watch)
        yield Session(pipeline, settings, clock, journal, sound, brain, transcription, executor, mouth,
                      repo, coder, heard)  # fmt: skip


def _transcription(settings: Settings, clock: Clock) -> Transcription:
    return Transcription(settings.transcribe, clock=clock, call=phrase_of(settings))


def _pipeline(
    settings: Settings, clock: Clock, watchers: Sequence[Watcher], judge: SmartTurn | None
) -> Pipeline:
    pipeline = Pipeline(
        clock=clock,
        watchers=tuple(watchers),
        patience=Patience(settings.turn, listens_to_sound=judge is not None),
        pauses=pauses.read(data_dir() / PAUSES),
    )
    pipeline.state = replace(pipeline.state, limits=settings.executor)
    return pipeline


def _crew(chosen: ExecutorSettings, repo: Path, pipeline: Pipeline, clock: Clock, coder: CodingHand) -> Crew:
    """The agents: `coder` works for the first one, each other has a coding hand of its own."""

    def build(place: Path, emit: Report, questions: Iterator[int]) -> Executor:
        store = CheckpointStore(data_dir() / "checkpoints", place, Limits.of(chosen))
        coding = coder if place == repo else coding_hand(chosen, clock)
        hands = LocalHand(chosen), DecidingHand(chosen, place), coding
        return Executor(chosen, place, emit, hands, store, clock, questions)

    return Crew(repo, pipeline.post, build)


async def _mouth(
    settings: Settings,
    pipeline: Pipeline,
    clock: Clock,
    sound: SoundProcess,
    *,
    voice: bool | None,
    record: Path | None,
) -> Mouth | None:
    """The voice, or None where nobody could hear it and nothing records it."""
    if voice is False or settings.speak.backend == "none":
        return None
    device = settings.audio.output_device
    silent = await sound_available(sound, device)
    if silent is not None and record is None:
        if voice:
            await pipeline.post(StageFailed("speak", silent))
        return None
    player: PlayerPort = DevicePlayer(sound, device) if silent is None else SilentPlayer()
    mouth = Mouth(settings.speak, choose(settings.speak).speaker, player, pipeline.post, clock)
    if record is not None:
        mouth.record(record)
    return mouth


async def say(settings: Settings, repo: Path, text: str, watch: Watcher, decide: Decide) -> bool:
    """Do what a typed sentence says; False where it failed, was stopped or was not allowed."""
    good = True

    def judge(envelope: Envelope) -> None:
        nonlocal good
        match envelope.event:
            case JobFinished(outcome=outcome):
                good = good and outcome.ok
            case JobFailed() | JobStopped() | StageFailed():
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


async def first_of(*waits: Awaitable[object]) -> None:
    """Return when the first is done; the others are cancelled. Raises what the first raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
