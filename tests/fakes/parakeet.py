"""A tiny Parakeet TDT model for the real parakeet-mlx: random weights, but for the end of its joint network.

Every 320 ms of sound it says "jump", whatever is heard; "bold" is a little less likely to it, until boosted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOKENS = ("\u2581jump", "\u2581bold", "\u2581ba", "d")
DURATIONS = (0, 1, 2, 4)
MELS, WIDTH = 16, 8
TOKEN_S = 0.32
"""What the longest duration makes of frames of 80 ms."""


def write(folder: Path) -> Path:
    """Configuration and weights; returns the folder. `prepare_import` must have been called."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from parakeet_mlx.utils import from_config

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config()))
    mx.random.seed(7)
    weights = dict(tree_flatten(from_config(_config()).parameters()))
    last = "joint.joint_net.2"
    weights[f"{last}.weight"] = mx.zeros_like(weights[f"{last}.weight"])
    # The tokens, then "nothing", then the durations.
    weights[f"{last}.bias"] = mx.array([3.0, 2.5, 0.0, 0.0, -6.0, -3.0, -3.0, -3.0, 3.0])
    mx.save_safetensors(str(folder / "model.safetensors"), weights)
    return folder


def _config() -> dict[str, Any]:
    return {
        "target": "nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel",
        "model_defaults": {"tdt_durations": list(DURATIONS)},
        "preprocessor": {
            "sample_rate": 16000, "normalize": "per_feature", "window_size": 0.025, "window_stride": 0.01,
            "window": "hann", "features": MELS, "n_fft": 512, "dither": 0.0,
        },
        "encoder": {
            "feat_in": MELS, "n_layers": 1, "d_model": WIDTH, "n_heads": 2, "ff_expansion_factor": 2,
            "subsampling_factor": 8, "self_attention_model": "rel_pos", "subsampling": "dw_striding",
            "conv_kernel_size": 3, "subsampling_conv_channels": 4, "pos_emb_max_len": 2000,
        },
        "decoder": {
            "blank_as_pad": True, "vocab_size": len(TOKENS),
            "prednet": {"pred_hidden": WIDTH, "pred_rnn_layers": 1},
        },
        "joint": {
            "num_classes": len(TOKENS), "vocabulary": list(TOKENS), "num_extra_outputs": len(DURATIONS),
            "jointnet": {
                "joint_hidden": WIDTH, "activation": "relu", "encoder_hidden": WIDTH, "pred_hidden": WIDTH,
            },
        },
        "decoding": {"model_type": "tdt", "durations": list(DURATIONS), "greedy": {"max_symbols": 10}},
    }  # fmt: skip
