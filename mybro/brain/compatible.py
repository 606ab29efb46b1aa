"""Any OpenAI-compatible chat server as the brain's language model: Ollama, LM Studio, Gemini, OpenAI."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from mybro.brain import keys
from mybro.brain.dialog import Dialog
from mybro.brain.language_model import SYSTEM, draft_schema, prompt, read_draft
from mybro.config import BrainSettings
from mybro.errors import BrainError
from mybro.intent import Intent

if TYPE_CHECKING:
    import httpx

MAX_TOKENS = 1024
_BACKOFF_S = 0.4
_THOUGHTS = re.compile(r"<think(ing)?>.*?</think(ing)?>", re.DOTALL)


class Compatible:
    """Understands sentences with the server at `brain.openai_base_url`.

    It asks for the schema, then for any JSON, then for plain words that hold JSON: whatever the server
    accepts first is what it is asked from then on. Raises BrainError `no_model` where address or model
    is not set.
    """

    has_harder = False

    def __init__(self, settings: BrainSettings) -> None:
        if not settings.openai_base_url or not settings.openai_model:
            raise BrainError(
                "no_model",
                "The OpenAI-compatible server is not set up",
                hint="Set brain.openai_base_url and brain.openai_model.",
            )
        self._url = settings.openai_base_url.rstrip("/") + "/chat/completions"
        self._model = settings.openai_model
        self._settings = settings
        self._client: httpx.AsyncClient | None = None

        self._formats: list[dict[str, Any] | None] = [
            {
                "type": "json_schema",
                "json_schema": {"name": "intent", "strict": True, "schema": draft_schema()},
            },
            {"type": "json_object"},
            None,
        ]

    async def understand(self, text: str, dialog: Dialog, *, hard: bool = False) -> Intent:
        client = await self._connected()
        reply = await self._ask(client, prompt(text, dialog))
        while (
            reply.status_code in (400, 404, 422, 501) and len(self._formats) > 1 and _is_about_format(reply)
        ):
            self._formats.pop(0)
            reply = await self._ask(client, prompt(text, dialog))
        if reply.status_code >= 400:
            raise _refused(reply.status_code)
        return read_draft(_content(reply), text, "openai")

    async def warm_up(self) -> None:
        await self._connected()

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            httpx = await asyncio.to_thread(__import__, "httpx")
            key = keys.openai(self._settings)
            self._client = httpx.AsyncClient(
                timeout=self._settings.timeout_s, headers={"Authorization": f"Bearer {key}"} if key else {}
            )
        return self._client

    async def _ask(self, client: httpx.AsyncClient, message: str) -> httpx.Response:
        """One answer, tried again where the server is busy or the connection breaks."""
        import httpx

        system = SYSTEM if self._formats[0] and len(self._formats) == 3 else SYSTEM + _IN_WORDS
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": MAX_TOKENS,
            "temperature": 0,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": message}],
        }
        if self._formats[0] is not None:
            body["response_format"] = self._formats[0]
        for tries_left in range(self._settings.retries, -1, -1):
            try:
                reply = await client.post(self._url, json=body)
            except httpx.TimeoutException as error:
                raise BrainError("model_timeout", "The model server took too long", retryable=True) from error
            except httpx.HTTPError as error:
                if not tries_left:
                    raise _unreachable() from error
            except (httpx.InvalidURL, ValueError) as error:
                raise BrainError("bad_address", "brain.openai_base_url is no address") from error
            else:
                if not tries_left or not (reply.status_code == 429 or reply.status_code >= 500):
                    return reply
            await asyncio.sleep(_BACKOFF_S)
        raise _unreachable()


_IN_WORDS = """
Answer with one JSON object and nothing else. Its keys: kind, action (or null), arguments (an object with
old_name, new_name, symbol, path, message, branch, remote, name, template, count; each may be null), target
(or null), risk, confidence, reply (or null).
"""


def _unreachable() -> BrainError:
    hint = "Is it running, and is brain.openai_base_url right?"
    return BrainError("model_unreachable", "The model server cannot be reached", hint=hint, retryable=True)


def _is_about_format(reply: httpx.Response) -> bool:
    if reply.status_code not in (400, 404, 422, 501):
        return False
    complaint = reply.text[:2_000].lower()
    return any(
        word in complaint for word in ("response_format", "json_schema", "json_object", "schema", "format")
    )


def _refused(status: int) -> BrainError:
    if status in (401, 403):
        hint = "Set brain.openai_api_key."
        return BrainError("bad_key", "The model server does not accept the key", hint=hint)
    if status == 404:
        hint = "Check brain.openai_model and brain.openai_base_url."
        return BrainError("unknown_model", "The model server does not know the model", hint=hint)
    if status == 429 or status >= 500:
        return BrainError(
            "model_busy", f"The model server is busy or in trouble (HTTP {status})", retryable=True
        )
    return BrainError("model_failed", f"The model server did not accept the request (HTTP {status})")


def _content(reply: httpx.Response) -> str:
    """The words of the answer. Raises BrainError where there are none."""
    try:
        choice = reply.json()["choices"][0]
        message = choice["message"]
        content = message.get("content") or ""
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BrainError(
            "bad_answer", "The model server's answer is no chat completion", retryable=True
        ) from error
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise BrainError("refused", "The language model declined to judge the sentence")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return _THOUGHTS.sub("", str(content))
