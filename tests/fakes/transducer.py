"""A tiny streaming Zipformer transducer for the real sherpa-onnx: it hears how loud it is, and nothing else.

Wherever it is loud it says "jump", letter after letter; "bold" is a little less likely to it, until boosted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SPACE = "\u2581"
TOKENS = ("<blk>", "<sos/eos>", "<unk>", SPACE, *"JUMPBOLD")
WINDOW, CHUNK, MELS = 45, 32, 80
"""Frames of 10 ms that the encoder sees, and goes on by; bands."""
FRAMES = 4
"""What it makes of a window."""
LOUD = -9.0
"""The mean logarithm of the bands from which on somebody speaks."""
_LEFT, _DIM, _KERNEL = 8, 4, 3
_LIKELY, _LESS = 8.0, 7.0

Shape = Sequence[int | str]


def write(folder: Path) -> Path:
    """The four files of a model; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens.txt").write_text("".join(f"{token} {at}\n" for at, token in enumerate(TOKENS)))
    _save(folder / "encoder.int8.onnx", _encoder(), {
        "model_type": "zipformer2", "version": "1", "model_author": "mybro", "decode_chunk_len": CHUNK,
        "T": WINDOW, "num_encoder_layers": 1, "encoder_dims": _DIM, "cnn_module_kernels": _KERNEL,
        "left_context_len": _LEFT, "query_head_dims": 2, "value_head_dims": 2, "num_heads": 1,
    })  # fmt: skip
    _save(folder / "decoder.onnx", _decoder(), {"context_size": 2, "vocab_size": len(TOKENS)})
    _save(folder / "joiner.int8.onnx", _joiner(), {"joiner_dim": len(TOKENS)})
    return folder


def _encoder() -> onnx.GraphProto:
    """Loudness in four pieces of the window, as the logit of silence; the states are handed through."""
    states: list[tuple[str, Shape]] = [
        ("cached_key_0", (_LEFT, "N", 2)),
        ("cached_nonlin_attn_0", (1, "N", _LEFT, 3)),
        ("cached_val1_0", (_LEFT, "N", 2)),
        ("cached_val2_0", (_LEFT, "N", 2)),
        ("cached_conv1_0", ("N", _DIM, 1)),
        ("cached_conv2_0", ("N", _DIM, 1)),
        ("embed_states", ("N", 128, 3, 19)),
    ]
    blank = np.zeros((1, len(TOKENS)), np.float32)
    blank[0, 0] = -2.0
    offset = np.zeros(len(TOKENS), np.float32)
    offset[0] = 2.0 * LOUD + _LIKELY
    constants = [
        _constant("starts", np.array([0])), _constant("ends", np.array([40])),
        _constant("axes", np.array([1])), _constant("pieces", np.array([0, FRAMES, -1])),
        _constant("blank", blank), _constant("offset", offset),
        _constant("chunk", np.array([CHUNK])), _constant("last", np.array([-1])),
    ]  # fmt: skip
    nodes = [
        helper.make_node("Slice", ["x", "starts", "ends", "axes"], ["heard"]),
        helper.make_node("Reshape", ["heard", "pieces"], ["split"]),
        helper.make_node("ReduceMean", ["split", "last"], ["loudness"], keepdims=1),
        helper.make_node("MatMul", ["loudness", "blank"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["encoder_out"]),
        helper.make_node("Add", ["processed_lens", "chunk"], ["new_processed_lens"]),
        *(helper.make_node("Identity", [name], [f"new_{name}"]) for name, _ in states),
    ]
    count = helper.make_tensor_value_info("processed_lens", TensorProto.INT64, ["N"])
    counted = helper.make_tensor_value_info("new_processed_lens", TensorProto.INT64, ["N"])
    return helper.make_graph(
        nodes, "encoder",
        [_value("x", ("N", WINDOW, MELS)), *(_value(*state) for state in states), count],
        [
            _value("encoder_out", ("N", FRAMES, len(TOKENS))),
            *(_value(f"new_{name}", shape) for name, shape in states), counted,
        ],
        constants,
    )  # fmt: skip


def _decoder() -> onnx.GraphProto:
    """Which letter follows on the last one."""
    table = np.full((len(TOKENS), len(TOKENS)), -50.0, np.float32)
    table[:, 0] = 0.0
    for before, after, score in (
        *((special, SPACE, _LIKELY) for special in TOKENS[:3]),
        (SPACE, "J", _LIKELY), ("J", "U", _LIKELY), ("U", "M", _LIKELY), ("M", "P", _LIKELY),
        ("P", SPACE, _LIKELY), (SPACE, "B", _LESS), ("B", "O", _LIKELY), ("O", "L", _LIKELY),
        ("L", "D", _LIKELY), ("D", SPACE, _LIKELY),
    ):  # fmt: skip
        table[TOKENS.index(before), TOKENS.index(after)] = score
    nodes = [
        helper.make_node("Gather", ["y", "place"], ["newest"], axis=1),
        helper.make_node("Gather", ["table", "newest"], ["decoder_out"], axis=0),
    ]
    return helper.make_graph(
        nodes, "decoder",
        [helper.make_tensor_value_info("y", TensorProto.INT64, ["N", 2])],
        [_value("decoder_out", ("N", len(TOKENS)))],
        [_constant("place", np.array(1)), _constant("table", table)],
    )  # fmt: skip


def _joiner() -> onnx.GraphProto:
    both = [_value(name, ("N", len(TOKENS))) for name in ("encoder_out", "decoder_out")]
    node = helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])
    return helper.make_graph([node], "joiner", both, [_value("logit", ("N", len(TOKENS)))])


def _value(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _constant(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


def _save(path: Path, graph: onnx.GraphProto, metadata: dict[str, str | int]) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
