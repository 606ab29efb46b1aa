"""A process that records without end, to be killed. It forks at once, so that each one starts quickly.

stdin: one folder a line. For each, a forked process opens the journal there and prints "pid N", then
"<session> <turn>" for every utterance that the journal has acknowledged. With a number behind the folder
it records so many and ends in order.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

import numpy  # noqa: F401 - before the fork, as everything that takes its time to import
import soundfile  # noqa: F401

from mybro.events import JobStarted, SpeechEnded, Transcript, Typed
from mybro.journal import (  # noqa: F401
    Journal,
    database,
    derive,
    forget,
    journal,
    queries,
    recovery,
    sessions,
    writer,
)
from tests.journal_tools import Talk, begin, task, tone, utterance  # noqa: F401


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def record(folder: Path, count: int | None) -> None:
    talk = await begin(folder)
    for turn in itertools.count(1) if count is None else range(1, count + 1):
        text = f"sentence {turn} of {talk.journal.session}"
        if turn % 3:
            # Some at once, so that they share a commit.
            await asyncio.gather(
                talk.journal.record(talk.envelope(SpeechEnded(turn, utterance(tone(0.05))))),
                talk.journal.record(talk.envelope(Transcript(turn, text, True, 100))),
                talk.journal.mark(turn, "accepted"),
            )
        else:
            await talk.send(Typed(turn, text))
            await talk.journal.mark(turn, "accepted")
        say(f"{talk.journal.session} {turn}")
        if turn % 4 == 0:
            await talk.send(JobStarted(turn, turn, "working"))
    await talk.journal.aclose()


def main() -> None:
    for line in sys.stdin:
        folder, _, count = line.strip().partition("\t")
        pid = os.fork()
        if pid == 0:
            say(f"pid {os.getpid()}")
            asyncio.run(record(Path(folder), int(count) if count else None))
            os._exit(0)
        os.waitpid(pid, 0)
        say("ended")


if __name__ == "__main__":
    main()
