"""Claude as the brain's language model: Anthropic's Messages API with structured output."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mybro.brain import keys
from mybro.brain.dialog import Dialog
from mybro.brain.language_model import SYSTEM, draft_schema, prompt, read_draft
from mybro.config import BrainSettings
from mybro.errors import BrainError
from mybro.intent import Intent

if TYPE_CHECKING:
    from anthropic import APIError, AsyncAnthropic

ADDRESS = "https://api.anthropic.com"
"""Given to the client always: it would otherwise take one from the environment, unseen by the settings."""
MAX_TOKENS = 1024

_STATUS = {
    401: ("bad_key", "Anthropic does not accept the key", "Set brain.anthropic_api_key to a valid key."),
    403: ("bad_key", "The Anthropic key may not do this", "Use a key with access to the model."),
    402: ("no_credit", "The Anthropic account has no credit left", "Add credit at console.anthropic.com."),
    404: ("unknown_model", "Anthropic does not know the model", "Check brain.model and brain.hard_model."),
    429: ("model_busy", "Claude is over its rate limit", ""),
    529: ("model_busy", "Claude is overloaded", ""),
}

_ABOUT = {"effort": ("effort",), "format": ("output_config", "json_schema", "schema")}
"""By what words an error message tells which option a model does not know."""


class Claude:
    """Understands sentences with Claude. Raises BrainError `no_key` where there is no key."""

    def __init__(self, settings: BrainSettings) -> None:
        key = keys.anthropic(settings)
        if key is None:
            raise BrainError(
                "no_key",
                "There is no Anthropic key",
                hint="Set ANTHROPIC_API_KEY or brain.anthropic_api_key, or choose brain.provider = none.",
            )
        self._key = key
        self._settings = settings
        self._client: AsyncAnthropic | None = None
        self._unsupported: set[str] = set()
        self.has_harder = settings.hard_model != settings.model

    async def understand(self, text: str, dialog: Dialog, *, hard: bool = False) -> Intent:
        import anthropic

        client = await self._connected()
        model = self._settings.hard_model if hard else self._settings.model
        while True:
            try:
                return await self._ask(client, model, text, dialog)
            except anthropic.BadRequestError as error:
                if not self._give_up_option(str(error)):
                    raise _problem(error) from error
            except anthropic.APIError as error:
                raise _problem(error) from error

    async def warm_up(self) -> None:
        await self._connected()

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> AsyncAnthropic:
        if self._client is None:
            # The import takes most of a second; in a thread, it holds up neither sound nor screen.
            anthropic = await asyncio.to_thread(__import__, "anthropic")
            self._client = anthropic.AsyncAnthropic(
                api_key=self._key,
                base_url=self._settings.anthropic_base_url or ADDRESS,
                timeout=self._settings.timeout_s,
                max_retries=self._settings.retries,
            )
        return self._client

    async def _ask(self, client: AsyncAnthropic, model: str, text: str, dialog: Dialog) -> Intent:
        async with client.messages.stream(
            model=model,
            max_tokens=MAX_TOKENS,
            # The hour's cache outlives the minutes between two commands.
            system=[{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            messages=[{"role": "user", "content": prompt(text, dialog)}],
            extra_body=self._options(),
        ) as stream:
            message = await stream.get_final_message()
        if message.stop_reason == "refusal":
            raise BrainError("refused", "Claude declined to judge the sentence")
        answer = "".join(block.text for block in message.content if block.type == "text")
        return read_draft(answer, text, "claude")

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "format": {"type": "json_schema", "schema": draft_schema()},
            "effort": self._settings.effort,
        }
        kept = {name: value for name, value in options.items() if name not in self._unsupported}
        return {"output_config": kept} if kept else {}

    def _give_up_option(self, complaint: str) -> bool:
        """Whether the complaint is about an option that the model lacks; it is left out from now on."""
        for name, words in _ABOUT.items():
            if name not in self._unsupported and any(word in complaint for word in words):
                self._unsupported.add(name)
                return True
        return False


def _problem(error: APIError) -> BrainError:
    """What went wrong, for a person; never the sentence, never the key."""
    import anthropic

    if isinstance(error, anthropic.APITimeoutError):
        return BrainError("model_timeout", "Claude took too long", retryable=True)
    if isinstance(error, anthropic.APIConnectionError):
        return BrainError(
            "model_unreachable", "Claude cannot be reached", hint="Check the network.", retryable=True
        )
    status = error.status_code if isinstance(error, anthropic.APIStatusError) else 0
    if status == 400 and "credit" in str(error):
        status = 402
    if status in _STATUS:
        code, message, hint = _STATUS[status]
        return BrainError(code, message, hint=hint, retryable=code == "model_busy")
    if status >= 500 or status == 0:
        return BrainError("model_busy", "Claude has trouble of its own", retryable=True)
    return BrainError("model_failed", f"Claude did not accept the request (HTTP {status})")
