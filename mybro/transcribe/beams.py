"""Beam search over any decoder that tells the probabilities of the next token; one beam is greedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Logprobs = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Sequenced:
    """A finished reading."""

    tokens: tuple[int, ...]
    """Without the end-of-text token."""
    total: float
    """Its logarithmic probability, the end of the text included."""

    @property
    def mean(self) -> float:
        """By length, as far as the text goes: longer readings are not worse for being longer."""
        return self.total / (len(self.tokens) + 1)


class Steps(Protocol):
    """A decoder between two tokens."""

    def advance(self, origins: Sequence[int], tokens: Sequence[int]) -> Logprobs:
        """Go on with these beams, by their places among the former ones, each by one token.

        Returns the logarithmic probabilities of what follows, of shape (beams, vocabulary).
        """
        ...


def search(steps: Steps, first: Logprobs, *, beams: int, limit: int, end: int) -> list[Sequenced]:
    """The likeliest readings, at most `beams`, the best by their mean first.

    `first` holds what may come first, of shape (vocabulary,); `end` is the token that closes a text. A
    reading that has not ended after `limit` tokens ends there.
    """
    live: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    logprobs = first[None]
    done: list[Sequenced] = []
    for _ in range(limit):
        chosen = _best(live, logprobs, 2 * beams)
        origins: list[int] = []
        tokens: list[int] = []
        grown: list[tuple[tuple[int, ...], float]] = []
        for total, origin, token in chosen:
            if token == end:
                done.append(Sequenced(live[origin][0], total))
            elif len(grown) < beams:
                origins.append(origin)
                tokens.append(token)
                grown.append(((*live[origin][0], token), total))
            if beams == 1:
                break
        live = grown
        if len(done) >= beams or not live:
            break
        if len(live[0][0]) < limit:
            logprobs = steps.advance(origins, tokens)
    if len(done) < beams:
        done += [Sequenced(tokens, total) for tokens, total in live]
    return sorted(done, key=lambda each: -each.mean)[:beams]


def _best(
    live: Sequence[tuple[tuple[int, ...], float]], logprobs: Logprobs, count: int
) -> list[tuple[float, int, int]]:
    """The likeliest ways to go on: total, place of the beam, token."""
    import numpy as np

    found: list[tuple[float, int, int]] = []
    for place, (_, total) in enumerate(live):
        row = logprobs[place]
        top = np.argpartition(row, -count)[-count:] if count < row.size else np.arange(row.size)
        found += [(total + float(row[each]), place, int(each)) for each in top if np.isfinite(row[each])]
    # By place and token where equal, so that a run is like the one before.
    return sorted(found, key=lambda each: (-each[0], each[1], each[2]))[:count]


def sample(steps: Steps, first: Logprobs, *, temperature: float, limit: int, end: int) -> Sequenced:
    """One reading by chance, which is the same at every run; the higher the temperature, the odder."""
    import numpy as np

    dice = np.random.default_rng(0)
    tokens: list[int] = []
    total, row = 0.0, first
    while len(tokens) < limit:
        weights = np.exp((row - row.max()) / temperature).astype(np.float64)
        token = int(dice.choice(row.size, p=weights / weights.sum()))
        total += float(row[token])
        if token == end:
            break
        tokens.append(token)
        if len(tokens) < limit:
            row = steps.advance([0], [token])[0]
    return Sequenced(tuple(tokens), total)
