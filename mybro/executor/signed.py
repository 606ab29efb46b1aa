"""What an agent tells, with its name before the words that are said or shown."""

from __future__ import annotations

import dataclasses

from mybro.events import Event, JobAnswered, JobAsked, JobFailed, JobFinished, JobStarted, Outcome


def by_agent(label: str, words: str) -> str:
    """Words, with who they are of before them: "Parser agent: Done."."""
    return f"{label[:1].upper()}{label[1:]}: {words}"


def of_agent(label: str, outcome: Outcome) -> Outcome:
    """An outcome, with who it is of before its words."""
    return dataclasses.replace(outcome, summary=by_agent(label, outcome.summary))


def of_all(found: list[tuple[str, Outcome]]) -> Outcome:
    """What each agent has changed, as one outcome; of who has changed nothing nothing is told."""
    told = [of_agent(label, o) if len(found) > 1 else o for label, o in found if o.changed] or [found[0][1]]
    return Outcome(
        " ".join(outcome.summary for outcome in told),
        detail="\n".join(outcome.detail for outcome in told),
        changed=tuple(path for outcome in told for path in outcome.changed),
    )


def signed(event: Event, label: str) -> Event:
    """The event with the name in its words."""
    match event:
        case JobStarted(title=title):
            return dataclasses.replace(event, title=by_agent(label, title), agent=label)
        case JobAsked(text=text):
            return dataclasses.replace(event, text=by_agent(label, text), agent=label)
        case JobAnswered(text=text):
            return dataclasses.replace(event, text=by_agent(label, text))
        case JobFinished(outcome=outcome):
            return dataclasses.replace(event, outcome=of_agent(label, outcome))
        case JobFailed(problem=problem):
            message = by_agent(label, problem.message)
            return dataclasses.replace(event, problem=dataclasses.replace(problem, message=message))
        case _:
            return event
