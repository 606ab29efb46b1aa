"""Whisper's decoder on MLX, token by token: what mlx-whisper's own loop does not offer.

It has no beam search, and computes the vocabulary's probabilities for every token of the prompt, which in a
short command is most of its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known once the prompt has been read."""

    first: NDArray[np.float32]
    """Logarithmic probabilities of the first token, of shape (vocabulary,)."""
    no_speech_probability: float


def attended(model: Any, features: Any) -> list[tuple[Any, Any]]:
    """For each of the decoder's layers, the keys and values of encoded rows: they depend on nothing else."""
    attentions = [block.cross_attn for block in model.decoder.blocks]
    return [(attention.key(features), attention.value(features)) for attention in attentions]


class MlxDecoder:
    """One text's beams, over one sound: what they attend to is kept once for all of them."""

    def __init__(self, model: Any, sound: Sequence[tuple[Any, Any]], tokenizer: Any) -> None:
        """`sound` is what `attended` gives for 1,500 rows."""
        self._decoder = model.decoder
        self._tokenizer = tokenizer
        self._kept: list[Any] = [(None, each) for each in sound]
        self._read = 0
        self._forbidden = _forbidden(tokenizer, model.dims.n_vocab)

    def begin(self, tokens: Sequence[int]) -> Begun:
        """Read the prompt and the start of the text."""
        import mlx.core as mx
        import numpy as np

        states = self._run(mx.array([list(tokens)]))
        sot = tokens.index(self._tokenizer.sot)
        # Of all that the prompt says only two places are asked: who speaks at all, and what comes first.
        logits = self._logits(states[:, mx.array([sot, len(tokens) - 1]), :])[0]
        silent = 0.0
        if self._tokenizer.no_speech is not None:
            silent = float(np.array(mx.softmax(logits[0]))[self._tokenizer.no_speech])
        blank = [*self._tokenizer.encode(" "), self._tokenizer.eot]
        return Begun(self._logprobs(logits[1:], blank)[0], silent)

    def advance(self, origins: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        """See `beams.Steps`."""
        import mlx.core as mx

        if list(origins) != list(range(self._kept[0][0][0].shape[0])):
            rows = mx.array(list(origins))
            self._kept = [((key[rows], value[rows]), cross) for (key, value), cross in self._kept]
        states = self._run(mx.array(list(tokens))[:, None])
        return self._logprobs(self._logits(states)[:, -1])

    def _run(self, tokens: Any) -> Any:
        """The last layer's states, of shape (beams, tokens, state); what was read is remembered."""
        decoder = self._decoder
        end = self._read + tokens.shape[1]
        states = decoder.token_embedding(tokens) + decoder.positional_embedding[self._read : end]
        for number, block in enumerate(decoder.blocks):
            # The encoded rows themselves are not needed any more, only that there are some.
            states, self._kept[number], _ = block(
                states, states, mask=decoder._mask, kv_cache=self._kept[number]
            )
        self._read = end
        return decoder.ln(states)

    def _logits(self, states: Any) -> Any:
        import mlx.core as mx

        return self._decoder.token_embedding.as_linear(states).astype(mx.float32)

    def _logprobs(self, logits: Any, also: Sequence[int] = ()) -> NDArray[np.float32]:
        import numpy as np

        rows = np.array(logits)
        rows[:, self._forbidden] = -np.inf
        rows[:, list(also)] = -np.inf
        peak = rows.max(axis=1, keepdims=True)
        return np.asarray(rows - peak - np.log(np.exp(rows - peak).sum(axis=1, keepdims=True)), np.float32)


def _forbidden(tokenizer: Any, vocabulary: int) -> list[int]:
    """What stands in no text: signs that are not spoken, marks of time, and the model's own marks."""
    return [
        *tokenizer.non_speech_tokens,
        *(token for token in range(tokenizer.eot + 1, vocabulary)),
    ]
