"""What of a session is worth a line that stays: the same lines on every kind of screen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Action, Intent

Kind = Literal["source", "heard", "started", "step", "done", "bad", "failed", "stopped", "asked", "answered",
               "said", "trouble"]  # fmt: skip

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])?")
_WORDS = re.compile(r"\w+")
_REMEMBERED = 8
_ALTERNATIVES = 3
_BESIDE = (
    ev.Recorded, ev.SayFinished, ev.JobProgressed, ev.TurnJudged, ev.TurnJoined, ev.TurnTimed, ev.TakenBack,
)  # fmt: skip
"""What may come between a sentence and its meaning."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    kind: Kind
    text: str
    note: str = ""
    """A few words that matter less: a duration, the intent, how to answer."""
    detail: str = ""
    """Several lines to show below: a diff, a list, the tail of an output."""


class Narrator:
    """Turns envelopes into lines. What is only spoken of once more makes no second line."""

    def __init__(self) -> None:
        self._heard: ev.Transcript | None = None
        self._jobs: dict[int, tuple[str, float]] = {}
        self._asked: set[int] = set()
        self._recent: list[str] = []

    def tell(self, envelope: ev.Envelope) -> list[Line]:
        """The lines that this event adds, oldest first."""
        event = envelope.event
        if isinstance(event, ev.LevelMeasured):
            return []
        lines = list(self._sentence(event))
        for line in self._lines(event, envelope.at):
            self._recent = [*self._recent[1 - _REMEMBERED :], _essence(line.text)]
            lines.append(line)
        return lines

    def _sentence(self, event: ev.Event) -> Iterator[Line]:
        """What the person said, together with what it means as soon as that is known."""
        if isinstance(event, ev.Transcript):
            yield from self._flush()
            if event.final and event.text.strip():
                self._heard = event
        elif isinstance(event, ev.Understood):
            if self._heard is not None and self._heard.turn == event.turn:
                yield from self._flush(meaning(event.intent))
        elif not isinstance(event, _BESIDE):
            yield from self._flush()

    def _flush(self, note: str = "") -> Iterator[Line]:
        heard, self._heard = self._heard, None
        if heard is not None:
            self._recent.clear()
            notes = (note, corrected(heard), unclear(heard))
            yield Line("heard", clean(heard.text), "; ".join(filter(None, notes)))

    def _lines(self, event: ev.Event, at: float) -> Iterator[Line]:
        match event:
            case ev.Ready(invitation=invitation, note=note):
                yield Line("source", f"Ready: {clean(invitation)}", clean(note))
            case ev.ModelSwitched(model=model):
                yield Line("source", f"Speech model: {clean(model)}")
            case ev.SourceOpened(name=name):
                yield Line("source", f"Listening to {clean(name)}")
            case ev.SourceClosed(dropped_blocks=dropped) if dropped:
                yield Line("trouble", f"{dropped} blocks of sound were lost")
            case ev.SayStarted(text=text) if not self._known(text):
                yield Line("said", clean(text))
            case ev.SourceTroubled(problem=problem) | ev.StageFailed(problem=problem):
                yield trouble(problem)
            case ev.TranscriptionFailed(problem=problem) if problem.code == "recogniser_closed":
                pass  # the session ends: nobody waits for the words
            case ev.TranscriptionFailed(problem=problem) | ev.RecordingFailed(problem=problem):
                yield trouble(problem)
            case ev.JobAsked():
                self._asked.add(event.question)
                yield Line("asked", clean(event.text), how_to_answer(event), clean(event.detail))
            case ev.Answered() if event.question in self._asked:
                self._asked.discard(event.question)
                said = event.choice or ("yes" if event.yes else "no")
                # A spoken answer stands there already, as what was heard.
                if event.by != "voice":
                    yield Line("answered", clean(said), "no answer in time" if event.by == "timeout" else "")
            case _:
                yield from self._job(event, at)

    def _job(self, event: ev.Event, at: float) -> Iterator[Line]:
        match event:
            case ev.JobStarted(job=job, title=title):
                self._jobs[job] = (clean(title), at)
                if not self._known(title):
                    yield Line("started", clean(title))
            case ev.JobProgressed(text=text, kind="step"):
                yield Line("step", clean(text))
            case ev.JobFinished(job=job, outcome=outcome):
                yield self._result("done" if outcome.ok else "bad", job, outcome, at)
            case ev.JobFailed(job=job, problem=problem):
                note = self._spent(job, at)
                yield Line("failed", clean(problem.message), note, clean(problem.hint))
            case ev.JobStopped(job=job):
                title = self._jobs.get(job, ("", at))[0]
                yield Line("stopped", f"Stopped {title}".rstrip(), self._spent(job, at))
            case ev.TakenBack(outcome=outcome) if outcome.ok:
                yield Line("stopped", "Taken back: the sentence went on", files(outcome.changed))

    def _result(self, kind: Kind, job: int, outcome: ev.Outcome, at: float) -> Line:
        notes = [files(outcome.changed), money(outcome.cost_usd), self._spent(job, at)]
        text = clean(outcome.summary) or ("Done" if kind == "done" else "That did not work out")
        return Line(kind, text, " · ".join(filter(None, notes)), clean(outcome.detail))

    def _spent(self, job: int, at: float) -> str:
        _, began = self._jobs.pop(job, ("", at))
        return duration(at - began)

    def _known(self, text: str) -> bool:
        said = _essence(text)
        return not said or any(said in shown or (shown and said.startswith(shown)) for shown in self._recent)


def meaning(intent: Intent) -> str:
    """An intent in two or three words: "rename · write". A yes or no means what it says."""
    if intent.action in (Action.YES, Action.NO):
        return ""
    name = intent.action.replace("_", " ") if intent.action else intent.kind
    return name if intent.risk == "read" else f"{name} · {intent.risk}"


def how_to_answer(asked: ev.JobAsked) -> str:
    """What to say to a question."""
    if asked.choices:
        return "say one of: " + ", ".join(clean(choice.label) for choice in asked.choices)
    if asked.risk == "destructive" and asked.object:
        return f"say “yes, {clean(asked.object)}” or “no”"
    return "say “yes” or “no”"


def trouble(problem: Problem) -> Line:
    return Line("trouble", clean(problem.message), clean(problem.hint))


def corrected(heard: ev.Transcript) -> str:
    """What was put right in the words, as it was heard; empty for nothing."""
    if not heard.heard:
        return ""
    before, after = heard.heard.split(), heard.text.split()
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    spans = [" ".join(before[start:end]).strip(".,!?") for tag, start, end, _, _ in changes if tag != "equal"]
    return "heard " + ", ".join(f"“{clean(span)}”" for span in spans if span) if any(spans) else ""


def unclear(heard: ev.Transcript) -> str:
    """Names that were as likely as each other; empty for none."""
    names = [clean(name) for name in heard.alternatives[:_ALTERNATIVES]]
    return f"{' or '.join(names)}?" if names else ""


def files(changed: tuple[str, ...]) -> str:
    """"cart.py and 2 more", by their last names."""  # fmt: skip
    if not changed:
        return ""
    first = clean(changed[0]).rstrip("/").rsplit("/", 1)[-1]
    return first if len(changed) == 1 else f"{first} and {len(changed) - 1} more"


def money(usd: float) -> str:
    return f"${usd:.2f}" if usd >= 0.005 else ""


def duration(seconds: float, *, whole: bool = False) -> str:
    """"0.4 s", "12 s", "3 min 5 s"; empty for next to nothing."""  # fmt: skip
    if seconds < 0.1:
        return ""
    if seconds < 10 and not whole:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clean(text: str) -> str:
    """The text without anything that steers a terminal; line ends stay, tabs become spaces."""
    text = _ESCAPES.sub("", text).replace("\t", "    ").replace("\r\n", "\n")
    return "".join(c for c in text if c == "\n" or c.isprintable()).strip("\n")


def _essence(text: str) -> str:
    return " ".join(_WORDS.findall(text.lower()))
