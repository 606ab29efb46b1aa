"""A scratch copy of the state during one transition, and the effects it gathers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from mybro.pipeline.effects import Effect, Say
from mybro.pipeline.state import Job, Question, State, Turn

Urgency = Literal["answer", "question", "error", "news"]


class Draft:
    """Lives for one call of `transition`, which alone makes it: nothing outside sees it change."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.effects: list[Effect] = []

    def do(self, *effects: Effect) -> None:
        self.effects += effects

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def number(self) -> int:
        """The next number for a request, job, question or speech."""
        number = self.state.next_number
        self.set(next_number=number + 2)
        return number

    def put_turn(self, turn: Turn) -> Turn:
        self.set(turns={**self.state.turns, turn.number: turn})
        return turn

    def put_job(self, job: Job) -> Job:
        self.set(jobs={**self.state.jobs, job.number: job})
        return job

    def put_question(self, question: Question) -> Question:
        self.set(questions={**self.state.questions, question.number: question})
        return question

    def drop_turn(self, number: int) -> None:
        self.set(turns={n: turn for n, turn in self.state.turns.items() if n != number})

    def drop_job(self, number: int) -> None:
        self.set(jobs={n: job for n, job in self.state.jobs.items() if n != number})

    def drop_question(self, number: int) -> None:
        self.set(questions={n: question for n, question in self.state.questions.items() if n != number})

    def say(self, text: str, urgency: Urgency = "answer") -> int:
        """Have a sentence spoken; returns its speech number."""
        speech = self.number()
        self.set(last_said=text)
        self.do(Say(speech, text, urgency))
        return speech
