"""One event becomes rows: what the tables say is what the log says."""

from __future__ import annotations

from mybro.events import (
    Answered,
    Envelope,
    JobAsked,
    JobFailed,
    JobFinished,
    JobStarted,
    JobStopped,
    QuestionWithdrawn,
    SpeechEnded,
    TakenBack,
    Transcript,
    Typed,
    Understood,
)
from mybro.journal import utterances, work
from mybro.journal.log import log
from mybro.journal.rows import Here
from mybro.journal.sound import Sound


async def apply(here: Here, envelope: Envelope, wall: float, sound: Sound | None = None) -> None:
    """Log an event and bring every table up to date with it; a second time it does nothing.

    `wall`: seconds since 1970. `sound`: the recording of a `SpeechEnded`, if it was kept.
    """
    if not await log(here, envelope, wall):
        return
    match envelope.event:
        case SpeechEnded() as ended:
            await utterances.heard(here, ended, wall, sound)
        case Typed() as typed:
            await utterances.typed(here, typed, wall)
        case Transcript() as transcript:
            await utterances.transcribed(here, transcript, wall)
        case Understood() as understood:
            await utterances.understood(here, understood, wall)
        case JobStarted() as started:
            await work.job_started(here, started, wall)
        case JobFinished() | JobFailed() | JobStopped() as over:
            await work.job_ended(here, over, wall)
        case TakenBack() as taken:
            await work.taken_back(here, taken, wall)
        case JobAsked() as asked:
            await work.asked(here, asked, wall)
        case Answered() as answered:
            await work.answered(here, answered, wall)
        case QuestionWithdrawn(question):
            await work.withdrawn(here, question, wall)
