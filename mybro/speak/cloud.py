"""Voices behind an address: one request, samples as they arrive."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from mybro.errors import SpeakError
from mybro.speak.wave import SampleStream

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 5.0


class CloudVoice:
    """Posts a sentence and streams the sound back. What is said leaves this machine."""

    def __init__(
        self, name: str, url: str, *, sample_rate: int, headers: dict[str, str], body: dict[str, Any],
        text_field: str, timeout_s: float,
    ) -> None:  # fmt: skip
        self.name = name
        self.sample_rate = sample_rate
        self._url = url
        self._headers = headers
        self._body = body
        self._text_field = text_field
        self._timeout_s = timeout_s
        self._raw_rate = sample_rate
        self._client: httpx.AsyncClient | None = None

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        if not text:
            return
        import httpx

        if self._client is None:
            timeout = httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
            self._client = httpx.AsyncClient(headers=self._headers, timeout=timeout)
        body = {**self._body, self._text_field: text}
        sound = SampleStream(self._raw_rate)
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                self._check(response.status_code)
                async for raw in response.aiter_bytes():
                    if samples := sound.feed(raw):
                        self.sample_rate = sound.sample_rate
                        yield samples
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kind = (
                "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
            )
            raise SpeakError(
                "voice_unreachable", f"{self.name} {kind}", hint="Look at the network", retryable=True
            ) from error

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _check(self, status: int) -> None:
        if status in (401, 403):
            raise SpeakError(
                "voice_key_refused", f"{self.name} refused the key", hint="Mend the key in [speak]"
            )
        if status == 429:
            raise SpeakError("voice_limited", f"{self.name} allows no more for now", retryable=True)
        if status != 200:
            raise SpeakError(
                "voice_failed", f"{self.name} answered with status {status}", retryable=status >= 500
            )
