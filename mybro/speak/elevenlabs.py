"""ElevenLabs' voices."""

from __future__ import annotations

import os
from urllib.parse import quote

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak.cloud import CloudVoice

DEFAULT_VOICE = "21m00Tcm4TlvDq8ikWAM"
_SAMPLE_RATE = 22_050
_NATURAL_WPM = 190


def make(settings: SpeakSettings) -> CloudVoice:
    secret = settings.elevenlabs_api_key
    key = secret.get_secret_value() if secret else os.environ.get("ELEVENLABS_API_KEY")
    if not key:
        raise SpeakError(
            "no_voice_key", "there is no key for ElevenLabs", hint="Set speak.elevenlabs_api_key"
        )
    voice = quote(settings.voice or DEFAULT_VOICE, safe="")
    base = settings.elevenlabs_base_url.rstrip("/")
    speed = min(1.2, max(0.7, settings.rate_wpm / _NATURAL_WPM))
    return CloudVoice(
        "ElevenLabs",
        f"{base}/v1/text-to-speech/{voice}/stream?output_format=pcm_{_SAMPLE_RATE}",
        sample_rate=_SAMPLE_RATE,
        headers={"xi-api-key": key},
        body={"model_id": settings.elevenlabs_model, "voice_settings": {"speed": round(speed, 2)}},
        text_field="text",
        timeout_s=settings.timeout_s,
    )
