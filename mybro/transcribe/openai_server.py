"""Any OpenAI-compatible transcription address: Groq, OpenAI, or one's own server. Only if chosen."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mybro.errors import TranscriptionError
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup

if TYPE_CHECKING:
    import httpx

    from mybro.transcribe.recogniser import Sound

TRIES = 2
LONGEST_WAIT_S = 5.0
"""However long a busy server asks to be left alone."""
_BUSY = (408, 409, 429, 500, 502, 503, 504)
_ISO_CODES = {
    "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en",
    "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko",
    "norwegian": "no", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
    "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip
"""OpenAI names a detected language in English."""


class OpenAIServer:
    """One model behind `POST {base_url}/audio/transcriptions`."""

    window_s = 600.0
    """19 MB of samples; servers take 25 MB at most."""
    searches = False

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._client: Any = None
        # Only the long form tells how sure the model is, and not every model has it.
        self._form = "verbose_json"

    def load(self) -> None:
        import httpx

        key = self._setup.api_key
        try:
            self._client = httpx.Client(
                base_url=self._setup.base_url.rstrip("/") + "/",
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(self._setup.timeout_s / TRIES, connect=10.0),
            )
            address = self._client.base_url
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise self._unusable() from error
        if address.scheme not in ("http", "https") or not address.host:
            raise self._unusable()

    def languages(self) -> Sequence[str]:
        return ()

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        started = time.perf_counter()
        answer = self._ask(wav_bytes(sound), hints)
        if answer.status_code == 400 and self._form == "verbose_json":
            self._form = "json"
            answer = self._ask(wav_bytes(sound), hints)
        if answer.status_code >= 400:
            raise _refusal(answer)
        try:
            body = answer.json()
            text, segments = str(body["text"]), body.get("segments") or []
            no_speech = [float(segment.get("no_speech_prob", 0.0)) for segment in segments]
            logprobs = [float(segment.get("avg_logprob", 0.0)) for segment in segments]
            language = hints.language or _iso_code(str(body.get("language") or ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = "the transcription server's answer cannot be understood"
            raise TranscriptionError("server_answer_odd", message, retryable=True) from error
        return Recognition(
            text=text.strip(),
            language=language,
            no_speech_probability=min(no_speech, default=0.0),
            average_logprob=sum(logprobs) / len(logprobs) if logprobs else 0.0,
            timings_ms={"server": (time.perf_counter() - started) * 1e3},
        )

    def _ask(self, wav: bytes, hints: Hints) -> httpx.Response:
        import httpx

        fields = {"model": self._setup.model, "response_format": self._form}
        fields["temperature"] = str(hints.temperature)
        if hints.language:
            fields["language"] = hints.language
        if hints.prompt:
            fields["prompt"] = hints.prompt
        for tries_left in reversed(range(TRIES)):
            wait_s = 0.5
            try:
                answer: httpx.Response = self._client.post(
                    "audio/transcriptions", data=fields, files={"file": ("speech.wav", wav, "audio/wav")}
                )
                if answer.status_code not in _BUSY or not tries_left:
                    return answer
                asked = answer.headers.get("Retry-After", "")
                wait_s = min(float(asked), LONGEST_WAIT_S) if asked.isdigit() else wait_s
            except httpx.HTTPError as error:
                if not tries_left:
                    raise TranscriptionError(
                        "server_unreachable",
                        f"the transcription server does not answer ({type(error).__name__})",
                        hint=f"Is {self._setup.base_url} right, and running?",
                        retryable=True,
                    ) from error
            time.sleep(wait_s)
        raise AssertionError("unreachable")

    def _unusable(self) -> TranscriptionError:
        return TranscriptionError(
            "bad_address",
            "the transcription address or its key cannot be used",
            hint="An address looks like this: https://api.groq.com/openai/v1",
        )


def wav_bytes(sound: Sound) -> bytes:
    """A WAV file, mono, 16 bits, 16 kHz."""
    import numpy as np

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _iso_code(language: str) -> str:
    return language if len(language) == 2 else _ISO_CODES.get(language.lower(), "")


def _refusal(answer: httpx.Response) -> TranscriptionError:
    """A server's refusal in a sentence; its body is left out, it may repeat what was said."""
    status = answer.status_code
    if status in (401, 403):
        return TranscriptionError(
            "key_refused",
            "the transcription server refuses the key",
            hint="Set another: mybro config set transcribe.openai_api_key",
        )
    if status == 404:
        return TranscriptionError(
            "server_unknown",
            "the transcription server knows neither this address nor this model",
            hint="Check transcribe.openai_base_url and transcribe.model",
        )
    return TranscriptionError(
        "server_failed", f"the transcription server answered with status {status}", retryable=status in _BUSY
    )
