"""What can be told of a picture on this machine: its size, when it was taken, and how it looks."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from photos.errors import PhotoError

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
HASH_SIZE = 8
_SAMPLED = 32
LOOK_GRID = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was opened and found whole."""

    media_type: str
    width: int
    height: int
    taken: str
    """From its EXIF data: "2026:11:21 10:00:00"; empty where it does not tell."""
    hash: int
    """64 bits that stay nearly the same when it is scaled, recompressed or brightened."""
    look: NDArray[np.float32]
    """Colours by place: a vector of length 1."""
    small: bytes
    """JPEG of at most 1,568 pixels a side, upright: what a model is shown."""


def read(data: bytes, max_pixels: int) -> Picture:
    """Open a picture. Raises `PhotoError` where it is none, is damaged, or is too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=list(FORMATS))
        if image.width * image.height > max_pixels:
            raise PhotoError(413, "too_many_pixels", f"the picture has more than {max_pixels} pixels")
        image_format = image.format or ""
        taken = str(image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal, ""))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError:
        kinds = ", ".join(name.title() for name in FORMATS)
        raise PhotoError(415, "no_picture", "that is no picture", f"send one of {kinds}") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoError(422, "damaged_picture", "the picture is damaged") from error
    return Picture(
        FORMATS[image_format],
        upright.width,
        upright.height,
        taken,
        _hash(upright),
        _look(upright),
        _small(upright),
    )


def distance(a: int, b: int) -> int:
    """How many of the 64 bits differ: up to about 10 it is the same picture."""
    return (a ^ b).bit_count()


def _hash(image: Image.Image) -> int:
    """The signs of the lowest frequencies, against their median (the DCT hash known as pHash)."""
    grey = np.asarray(image.convert("L").resize((_SAMPLED, _SAMPLED), Image.Resampling.LANCZOS), np.float64)
    step = np.pi / _SAMPLED * (np.arange(_SAMPLED) + 0.5)
    basis = np.cos(np.outer(np.arange(HASH_SIZE), step))
    low = (basis @ grey @ basis.T).ravel()
    # The first one is the brightness, which says nothing about the picture.
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _look(image: Image.Image) -> NDArray[np.float32]:
    """Mean and spread of the colours in a grid, all of equal weight."""
    side = LOOK_GRID * 16
    pixels = np.asarray(image.convert("YCbCr").resize((side, side), Image.Resampling.BOX), np.float32)
    cells = pixels.reshape(LOOK_GRID, 16, LOOK_GRID, 16, 3).swapaxes(1, 2).reshape(LOOK_GRID**2, 256, 3)
    vector = np.concatenate([cells.mean(axis=1).ravel() - 128, cells.std(axis=1).ravel()])
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def _small(image: Image.Image) -> bytes:
    image = image.copy()
    image.thumbnail((1568, 1568))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
