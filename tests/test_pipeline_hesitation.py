"""Whatever happens in whatever order, also where sentences go on after they seemed to be over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from mybro import events as ev
from mybro.config import TurnSettings
from mybro.pipeline import effects as do
from mybro.pipeline.patience import Patience
from mybro.pipeline.state import TurnPhase
from tests.test_pipeline_properties import Conversation

pytestmark = pytest.mark.unit


class Hesitation(Conversation):
    """The same conversation, with a person whose sentences come in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.state = replace(self.state, patience=Patience(TurnSettings(), listens_to_sound=True))
        self.withdrawn: list[do.Withdraw] = []
        self.judging: list[do.JudgeTurn] = []
        self.gone: set[int] = set()

    def keep(self, effect: do.Effect) -> None:
        match effect:
            case do.Withdraw():
                assert effect.job in self.jobs, "only what was begun is taken back"
                assert effect.job not in self.gone, "and that once"
                self.gone.add(effect.job)
                self.withdrawn.append(effect)
            case do.StartJob(turn=turn):
                assert self.state.withdrawing is None, f"{turn} waits until its first part is gone"
            case do.JudgeTurn():
                self.judging.append(effect)
        super().keep(effect)

    @precondition(lambda self: self.withdrawn)
    @rule(ok=st.booleans())
    def hands_took_it_back(self, ok: bool) -> None:
        taken = self.withdrawn.pop(0)
        self.feed(ev.TakenBack(taken.turn, taken.job, ev.Outcome("Undone", ok=ok)))

    @precondition(lambda self: self.judging)
    @rule(probability=st.floats(0, 1))
    def the_sound_is_judged(self, probability: float) -> None:
        asked = self.judging.pop(0)
        self.feed(ev.TurnJudged(asked.turn, asked.request, probability))

    @invariant()
    def what_is_taken_back_is_gone(self) -> None:
        assert not self.gone & set(self.state.jobs)

    @invariant()
    def nothing_waits_for_a_taking_back_that_nobody_does(self) -> None:
        assert self.state.withdrawing in {None, *(taken.turn for taken in self.withdrawn)}

    @invariant()
    def what_goes_on_is_not_begun(self) -> None:
        going_on = {t.joins.turn for t in self.state.turns.values() if t.joins and t.phase is TurnPhase.HEARD}
        later = {turn.number for turn in self.state.turns.values() if turn.phase is TurnPhase.HEARD}
        assert not going_on & later, "a turn goes on with one whose words are known"


Hesitation.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHesitation = Hesitation.TestCase
