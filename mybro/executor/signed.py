"""What an agent tells, with its name before the words that are said or shown."""

from __future__ import annotations

import dataclasses

from mybro.events import Event, JobAnswered, JobAsked, JobFailed, JobFinished, JobStarted, Outcome


def of_agent(label: str, outcome: Outcome) -> Outcome:
    """An outcome, with who it is of before its words."""
    return dataclasses.replace(outcome, summary=f"{label[:1].upper()}{label[1:]}: {outcome.summary}")


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
    who = label[:1].upper() + label[1:]
    match event:
        case JobStarted(title=title):
            return dataclasses.replace(event, title=f"{who}: {title}", agent=label)
        case JobAsked(text=text):
            return dataclasses.replace(event, text=f"{who}: {text}", agent=label)
        case JobAnswered(text=text):
            return dataclasses.replace(event, text=f"{who}: {text}")
        case JobFinished(outcome=outcome):
            return dataclasses.replace(event, outcome=of_agent(label, outcome))
        case JobFailed(problem=problem):
            return dataclasses.replace(
                event, problem=dataclasses.replace(problem, message=f"{who}: {problem.message}")
            )
        case _:
            return event
