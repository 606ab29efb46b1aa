"""Beam search, over decoders whose best readings are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro.transcribe.beams import sample, search

pytestmark = pytest.mark.unit

END = 0


class Table:
    """A decoder whose next token depends on the last one alone."""

    def __init__(self, chances: npt.NDArray[np.float64]) -> None:
        """`chances` has a row for each last token; the last row stands for the start."""
        self._log = np.log(chances)
        self.first = self._log[-1]
        self.asked = 0
        self.live: list[tuple[int, ...]] = [()]

    def advance(self, origins: Sequence[int], tokens: Sequence[int]) -> npt.NDArray[np.float64]:
        self.asked += 1
        self.live = [(*self.live[origin], token) for origin, token in zip(origins, tokens, strict=True)]
        return self._log[list(tokens)]

    def total(self, tokens: Sequence[int]) -> float:
        path = [len(self._log) - 1, *tokens, END]
        return float(sum(self._log[a][b] for a, b in itertools.pairwise(path)))


def table(seed: int, size: int = 4) -> Table:
    chances = np.random.default_rng(seed).dirichlet(np.full(size, 0.5), size + 1)
    return Table(np.maximum(chances, 1e-6))


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_one_beam_is_greedy(seed: int) -> None:
    steps = table(seed)
    (found,) = search(steps, steps.first, beams=1, limit=6, end=END)
    row = steps.first
    tokens: list[int] = []
    while len(tokens) < 6 and (token := int(row.argmax())) != END:
        tokens.append(token)
        row = steps._log[token]
    assert list(found.tokens) == tokens
    assert steps.asked <= 6


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_wide_beams_find_the_likeliest_reading_there_is(seed: int) -> None:
    steps = table(seed, 3)
    found = search(steps, steps.first, beams=64, limit=4, end=END)
    every = [tokens for size in range(4) for tokens in itertools.product((1, 2), repeat=size)]
    best = max(every, key=lambda tokens: steps.total(tokens) / (len(tokens) + 1))
    closed = [each for each in found if len(each.tokens) < 4]
    assert found[0].mean >= steps.total(best) / (len(best) + 1) - 1e-9
    assert not closed or closed[0].tokens == best
    assert all(math.isclose(each.total, steps.total(each.tokens)) for each in closed)
    assert [each.mean for each in found] == sorted((each.mean for each in found), reverse=True)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 8))
def test_no_reading_is_longer_than_the_limit_or_told_twice(seed: int, beams: int, limit: int) -> None:
    steps = table(seed)
    found = search(steps, steps.first, beams=beams, limit=limit, end=END)
    assert 1 <= len(found) <= beams and len({each.tokens for each in found}) == len(found)
    assert all(len(each.tokens) <= limit and END not in each.tokens for each in found)
    # A beam goes on from where it was, whatever place it had.
    assert all(len(live) <= limit for live in steps.live)


def test_what_is_forbidden_is_never_chosen() -> None:
    first = np.array([-np.inf, -1.0, -np.inf])
    steps = Table(np.array([[1 / 3] * 3, [1.0, 1e-9, 1e-9], [1 / 3] * 3, [1 / 3] * 3]))
    assert {each.tokens[0] for each in search(steps, first, beams=3, limit=2, end=END)} == {1}


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_chance_is_the_same_at_every_run_and_cold_is_greedy(seed: int) -> None:
    runs = [sample(t := table(seed), t.first, temperature=0.8, limit=5, end=END) for _ in range(2)]
    assert runs[0] == runs[1] and len(runs[0].tokens) <= 5
    cold = table(seed)
    (greedy,) = search(cold, cold.first, beams=1, limit=5, end=END)
    assert sample(cold, cold.first, temperature=1e-4, limit=5, end=END).tokens == greedy.tokens
