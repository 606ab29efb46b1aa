"""Whisper weights from CTranslate2's form (faster-whisper) to MLX's (mlx-whisper), with numpy alone.

CTranslate2 writes `model.bin`: version, specification, then each variable as name, shape, type and bytes,
little-endian. It fuses the projections of an attention layer into one matrix and keeps convolutions as
(out, in, kernel); MLX has them apart and as (out, kernel, in), and computes the encoder's positions itself.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mybro.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Tensor = NDArray[Any]

_VERSIONS = range(4, 7)
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2", 5: "bfloat16"}
_SAFETENSORS_NAMES = {"float16": "F16", "float32": "F32"}


def convert(source: Path, target: Path) -> None:
    """Write `config.json` and `weights.safetensors` (float16) for `source`'s `model.bin` into `target`.

    Raises `ModelError` for a file that is not a whole Whisper model.
    """
    try:
        with (source / "model.bin").open("rb") as file:
            variables = read_ct2(file)
        weights, config = to_mlx(variables)
    except (ValueError, KeyError, struct.error) as error:
        raise ModelError("not_convertible", f"{source} cannot be converted: {error}") from error
    write_safetensors(weights, target / "weights.safetensors")
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def read_ct2(file: BinaryIO) -> dict[str, Tensor]:
    """The variables of a CTranslate2 `model.bin`. Raises `ValueError` where it is something else."""
    import numpy as np

    (version,) = _unpack(file, "I")
    if version not in _VERSIONS:
        raise ValueError(f"binary version {version} is not known")
    specification = _string(file)
    if specification != "WhisperSpec":
        raise ValueError(f"it holds a {specification}, not Whisper")
    _revision, count = _unpack(file, "II")
    variables: dict[str, Tensor] = {}
    for _ in range(count):
        name = _string(file)
        (rank,) = _unpack(file, "B")
        shape = _unpack(file, f"{rank}I")
        kind, size = _unpack(file, "BI")
        raw = file.read(size)
        if len(raw) != size:
            raise ValueError(f"it ends within {name}")
        if _TYPES[kind] == "bfloat16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, _TYPES[kind])
        variables[name] = values.reshape(shape)
    return variables


def to_mlx(variables: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """mlx-whisper's weights (float16) and configuration for CTranslate2's variables."""
    import numpy as np

    translation = _Translation(variables)
    layers = {side: _layers(variables, side) for side in ("encoder", "decoder")}
    translation.convolutions()
    for side, count in layers.items():
        for index in range(count):
            translation.layer(side, index)
    translation.norm("encoder/layer_norm", "encoder.ln_post")
    translation.norm("decoder/layer_norm", "decoder.ln")
    embedding = translation.tensor("decoder/embeddings/weight")
    positions = translation.tensor("decoder/position_encodings/encodings")
    translation.out["decoder.token_embedding.weight"] = embedding
    translation.out["decoder.positional_embedding"] = positions
    encoder_positions = translation.tensor("encoder/position_encodings/encodings")
    if np.abs(encoder_positions - sinusoids(*encoder_positions.shape)).max() > 2e-3:
        raise ValueError("the encoder's positions are not sinusoids")
    config = {
        "model_type": "whisper",
        "n_mels": int(variables["encoder/conv1/weight"].shape[1]),
        "n_audio_ctx": int(encoder_positions.shape[0]),
        "n_audio_state": int(embedding.shape[1]),
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": layers["encoder"],
        "n_vocab": int(embedding.shape[0]),
        "n_text_ctx": int(positions.shape[0]),
        "n_text_state": int(embedding.shape[1]),
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": layers["decoder"],
    }
    return {name: value.astype(np.float16) for name, value in translation.out.items()}, config


class _Translation:
    """From names and layouts of one form to those of the other."""

    def __init__(self, variables: dict[str, Tensor]) -> None:
        self._variables = variables
        self.out: dict[str, Tensor] = {}

    def tensor(self, name: str) -> Tensor:
        """A variable as float32, also where it is stored as int8 and a scale for each row."""
        value = self._variables[name].astype("float32")
        scale = self._variables.get(f"{name}_scale")
        return value if scale is None else value / scale.astype("float32").reshape(-1, 1)

    def norm(self, source: str, target: str) -> None:
        self.out[f"{target}.weight"] = self.tensor(f"{source}/gamma")
        self.out[f"{target}.bias"] = self.tensor(f"{source}/beta")

    def linear(self, source: str, *targets: str) -> None:
        """A linear layer, or several that are fused along their outputs."""
        import numpy as np

        weights = np.split(self.tensor(f"{source}/weight"), len(targets))
        biases = np.split(self.tensor(f"{source}/bias"), len(targets))
        for target, weight, bias in zip(targets, weights, biases, strict=True):
            self.out[f"{target}.weight"] = weight
            if not target.endswith(".key"):
                self.out[f"{target}.bias"] = bias
            elif np.abs(bias).max() > 1e-6:
                raise ValueError(f"{source} has a bias on its keys, which Whisper has not")

    def convolutions(self) -> None:
        for name in ("conv1", "conv2"):
            weight = self.tensor(f"encoder/{name}/weight")
            self.out[f"encoder.{name}.weight"] = weight.transpose(0, 2, 1)
            self.out[f"encoder.{name}.bias"] = self.tensor(f"encoder/{name}/bias")

    def layer(self, side: str, index: int) -> None:
        source, target = f"{side}/layer_{index}", f"{side}.blocks.{index}"
        attention = f"{target}.attn"
        self.norm(f"{source}/self_attention/layer_norm", f"{attention}_ln")
        self.linear(
            f"{source}/self_attention/linear_0",
            *(f"{attention}.{part}" for part in ("query", "key", "value")),
        )
        self.linear(f"{source}/self_attention/linear_1", f"{attention}.out")
        if side == "decoder":
            cross = f"{target}.cross_attn"
            self.norm(f"{source}/attention/layer_norm", f"{cross}_ln")
            self.linear(f"{source}/attention/linear_0", f"{cross}.query")
            self.linear(f"{source}/attention/linear_1", f"{cross}.key", f"{cross}.value")
            self.linear(f"{source}/attention/linear_2", f"{cross}.out")
        self.norm(f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
        self.linear(f"{source}/ffn/linear_0", f"{target}.mlp1")
        self.linear(f"{source}/ffn/linear_1", f"{target}.mlp2")


def sinusoids(length: int, channels: int) -> NDArray[np.float64]:
    """Whisper's fixed positions: sines in the first half of the channels, cosines in the second."""
    import numpy as np

    rates = np.exp(-np.log(10_000) / (channels // 2 - 1) * np.arange(channels // 2))
    angles = np.arange(length)[:, None] * rates[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def write_safetensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write tensors in the safetensors format: a JSON header's length, the header, the bytes."""
    header: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
    offset = 0
    for name, value in tensors.items():
        end = offset + value.nbytes
        header[name] = {
            "dtype": _SAFETENSORS_NAMES[value.dtype.name],
            "shape": list(value.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for value in tensors.values():
            file.write(value.tobytes())


def _layers(variables: dict[str, Tensor], side: str) -> int:
    return 1 + max(
        int(name.split("/")[1].removeprefix("layer_"))
        for name in variables
        if name.startswith(f"{side}/layer_") and name.split("/")[1].removeprefix("layer_").isdigit()
    )


def _unpack(file: BinaryIO, form: str) -> tuple[Any, ...]:
    layout = struct.Struct(f"<{form}")
    return layout.unpack(file.read(layout.size))


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "H")
    return file.read(length).rstrip(b"\0").decode()
