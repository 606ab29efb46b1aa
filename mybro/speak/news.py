"""News of jobs: what is worth telling somebody who is elsewhere, and several pieces told as one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mybro.events import Event, JobAsked, JobFailed, JobFinished
from mybro.speak.phrases import failed, finished, number, sentence

_AGENT = re.compile(r"(?:the )?([\w-]+) agent: ", re.IGNORECASE)


def merged(done: Sequence[str], failures: bool = False) -> str:
    """Several pieces of news as one: of agents who is done, else two short ones whole, more counted."""
    agents = [found[1].lower() for text in done if (found := _AGENT.match(text))]
    if len(set(agents)) > 1 and len(agents) == len(done):
        *most, last = dict.fromkeys(agents)
        came = "have failed" if failures else "are done"
        who = sentence(f"{number(len(set(agents)))} agents {came}: {', '.join(most)} and {last}")
        return f"{who} {done[-1]}"
    if len(done) <= 2 and sum(len(text.split()) for text in done) <= 24:
        return " ".join(done)
    what = "jobs failed" if failures else "jobs are done"
    return f"{sentence(f'{number(len(done))} {what}')} The last: {done[-1]}"


def news(event: Event) -> str | None:
    """What a person who is elsewhere should know of; None for everything else."""
    match event:
        case JobAsked(text=text):
            return sentence(text)
        case JobFinished(outcome=outcome):
            return finished(outcome)
        case JobFailed(problem=problem):
            return failed(problem)
        case _:
            return None
