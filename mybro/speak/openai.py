"""Any OpenAI-compatible speech address: OpenAI itself, or a server of one's own."""

from __future__ import annotations

import os

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak.cloud import CloudVoice

OPENAI = "https://api.openai.com/v1"
_SAMPLE_RATE = 24_000
"""Hertz, of `response_format: pcm`."""
_NATURAL_WPM = 190


def make(settings: SpeakSettings) -> CloudVoice:
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    if settings.openai_base_url is None:
        # The key in the environment belongs to OpenAI: it is sent to no other address.
        key = key or os.environ.get("OPENAI_API_KEY")
        if not key:
            raise SpeakError(
                "no_voice_key", "there is no key for OpenAI's voice", hint="Set speak.openai_api_key"
            )
    speed = min(4.0, max(0.25, settings.rate_wpm / _NATURAL_WPM))
    return CloudVoice(
        "the OpenAI voice" if settings.openai_base_url is None else "the speech server",
        (settings.openai_base_url or OPENAI).rstrip("/") + "/audio/speech",
        sample_rate=_SAMPLE_RATE,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        body={
            "model": settings.openai_model,
            "voice": settings.voice or "alloy",
            "response_format": "pcm",
            "speed": round(speed, 2),
        },
        text_field="input",
        timeout_s=settings.timeout_s,
    )
