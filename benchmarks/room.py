"""A room with a loudspeaker, a microphone and a person in it: what the microphone hears of each.

Impulse responses by the image method (Allen and Berkley, 1979) in a box with one reflection factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mybro.events import SAMPLE_RATE

Wave = npt.NDArray[np.float64]
SOUND_M_PER_S = 343.0


@dataclass(frozen=True, slots=True)
class Room:
    """A box, in metres, and how much of a sound a wall gives back, 0 to 1."""

    size: tuple[float, float, float]
    reflection: float

    def inside(self, place: Wave) -> Wave:
        """The nearest place that is not in a wall."""
        return np.clip(place, 0.1, np.array(self.size) - 0.1)

    def response(self, source: Wave, microphone: Wave, seconds: float = 0.35) -> Wave:
        """The impulse response from one place to another."""
        reach = [int(np.ceil(seconds * SOUND_M_PER_S / (2 * side))) for side in self.size]
        axes = []
        for side, at, to, most in zip(self.size, source, microphone, reach, strict=True):
            n = np.arange(-most, most + 1)
            distance = np.concatenate([2 * n * side + at - to, 2 * n * side - at - to])
            bounces = np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)])
            axes.append((distance, bounces))
        (x, bx), (y, by), (z, bz) = axes
        far = np.sqrt(x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2).ravel()
        bounces = (bx[:, None, None] + by[None, :, None] + bz[None, None, :]).ravel()
        delay = far / SOUND_M_PER_S * SAMPLE_RATE
        inside = delay < seconds * SAMPLE_RATE - 2
        delay, amplitude = delay[inside], self.reflection ** bounces[inside] / np.maximum(far[inside], 0.05)
        out = np.zeros(int(seconds * SAMPLE_RATE))
        whole = delay.astype(int)
        part = delay - whole
        np.add.at(out, whole, amplitude * (1 - part))
        np.add.at(out, whole + 1, amplitude * part)
        return out


def any_room(rng: np.random.Generator) -> tuple[Room, Wave, Wave, Wave]:
    """A room between a small office and a living room; where loudspeaker, microphone and person are."""
    size = (rng.uniform(3, 6), rng.uniform(2.5, 5), rng.uniform(2.4, 3.2))
    room = Room(size, rng.uniform(0.55, 0.82))
    microphone = np.array([rng.uniform(0.8, side - 0.8) for side in size])
    loudspeaker = microphone + _direction(rng) * rng.uniform(0.15, 0.6)
    person = microphone + _direction(rng) * rng.uniform(0.4, 0.8)
    return room, room.inside(loudspeaker), microphone, room.inside(person)


def _direction(rng: np.random.Generator) -> Wave:
    way = rng.standard_normal(3)
    return np.asarray(way / np.linalg.norm(way))


def convolved(sound: Wave, response: Wave) -> Wave:
    size = len(sound) + len(response) - 1
    full = 1 << (size - 1).bit_length()
    mixed = np.fft.irfft(np.fft.rfft(sound, full) * np.fft.rfft(response, full), full)
    return np.asarray(mixed[: len(sound)])


def at_level(sound: Wave, dbfs: float) -> Wave:
    """The same with this root mean square where it is not silent; decibels relative to 1."""
    loud = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    return np.asarray(sound * (10 ** (dbfs / 20) / np.sqrt(np.mean(loud**2))))


def small_loudspeaker(sound: Wave, drive: float) -> Wave:
    """Mild clipping, and little bass, as a laptop's loudspeaker has."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    thin = np.fft.irfft(spectrum * (hertz**2 / (hertz**2 + 180.0**2)), len(sound))
    peak = np.abs(thin).max() or 1.0
    return np.asarray(np.tanh(drive * thin / peak) / drive * peak)
