"""A WAV of what was heard of the voice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mybro.errors import SpeakError
from mybro.speak.sound import Sound

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 24_000


class Recorder:
    """Mono, 16 bits, SAMPLE_RATE; sentences follow one another without the quiet between them."""

    def __init__(self, path: Path) -> None:
        import soundfile

        try:
            self._file: soundfile.SoundFile = soundfile.SoundFile(
                path, "w", SAMPLE_RATE, 1, subtype="PCM_16", format="WAV"
            )
        except (OSError, soundfile.SoundFileError) as error:
            raise SpeakError(
                "cannot_record", f"{path} cannot be written", hint="Choose another file"
            ) from error

    def add(self, sound: Sound) -> None:
        """Append what was heard of a sentence."""
        import numpy as np
        import soxr

        samples = np.frombuffer(sound.slice(0, sound.heard), dtype="<i2")
        if len(samples):
            self._file.write(soxr.resample(samples, sound.sample_rate, SAMPLE_RATE))

    def close(self) -> None:
        self._file.close()
