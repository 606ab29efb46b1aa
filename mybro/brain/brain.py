"""From a sentence to an intent: the local grammar, then a language model, then the plain reading."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from mybro import risk
from mybro.brain import grammar, keys
from mybro.brain.address import address
from mybro.brain.classify import classify
from mybro.brain.dialog import Dialog, resolve
from mybro.brain.language_model import UNSURE, LanguageModel
from mybro.clock import Clock
from mybro.config import BrainSettings
from mybro.errors import BrainError, Problem, RulesError
from mybro.intent import Intent
from mybro.rules.decide import asks, clear
from mybro.rules.layers import load
from mybro.words import norms, taught

Note = Callable[[Problem], None]
"""Is told why a language model did not answer."""

PROVIDERS = {"claude": "mybro.brain.claude:Claude", "openai": "mybro.brain.compatible:Compatible"}
"""Where each provider's class is; imported when it is needed."""


REST_S = 60.0
"""Seconds for which a language model that is out of reach is not asked again."""

_OUT_OF_REACH = frozenset({"model_timeout", "model_unreachable", "model_busy"})
_LASTING = frozenset({"bad_key", "no_key", "unknown_model", "no_credit"})
"""What only a person can mend: not worth another try in this session."""


class _Provider(Protocol):
    def __call__(self, settings: BrainSettings) -> LanguageModel: ...


class Brain:
    """Understands sentences, one at a time or several at once; never raises for a model's failure."""

    def __init__(self, settings: BrainSettings, clock: Clock, *, note: Note | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._note = note or (lambda _: None)
        self._model: LanguageModel | None = None
        self._chosen = False
        self._rest_until = float("-inf")

    async def understand(self, text: str, dialog: Dialog | None = None) -> Intent:
        """The intent of a sentence, its risk judged; in its `text`, "that file" and the like are resolved."""
        dialog = dialog or Dialog()
        if (right := taught(text)) is not None:
            return Intent(kind="chat", reply=f"Next time I will write {right}", text=text)
        resolved = resolve(text, dialog)
        if (known := grammar.parse(resolved)) is not None:
            return known
        if not norms(resolved):
            return classify(resolved)
        if (addressed := address(resolved)) is not None:
            intent = await self.understand(addressed.rest, dialog)
            return intent.model_copy(update={"agent": addressed.agent})
        if _decided(resolved):
            return risk.judge(Intent(kind="question", text=resolved))
        found = await self._ask(resolved, dialog)
        return risk.judge(found) if found is not None else classify(resolved)

    async def warm_up(self) -> None:
        """Compile the grammar and get the language model ready, before the first sentence."""
        await asyncio.to_thread(grammar.warm_up)
        if (model := await self._provider()) is not None:
            await model.warm_up()

    async def aclose(self) -> None:
        model, self._model, self._chosen = self._model, None, True
        if model is not None:
            await model.aclose()

    async def _ask(self, text: str, dialog: Dialog) -> Intent | None:
        """The language model's intent: the harder model's, where the fast one is unsure."""
        if self._clock.now() < self._rest_until or (model := await self._provider()) is None:
            return None
        found: Intent | None = None
        try:
            found = await self._within(model.understand(text, dialog))
            if found.confidence >= UNSURE or not model.has_harder:
                return found
            return await self._within(model.understand(text, dialog, hard=True))
        except BrainError as error:
            if found is None and error.code == "bad_answer":
                return await self._ask_harder(model, text, dialog, error)
            self._failed(error)
        return found

    async def _ask_harder(
        self, model: LanguageModel, text: str, dialog: Dialog, first: BrainError
    ) -> Intent | None:
        try:
            return await self._within(model.understand(text, dialog, hard=True))
        except BrainError as error:
            self._failed(first if error.code == "bad_answer" else error)
            return None

    def _failed(self, error: BrainError) -> None:
        """Say why; a model that is out of reach is left alone for a while, so that nobody waits in vain."""
        if error.code in _LASTING:
            self._rest_until = float("inf")
        elif error.code in _OUT_OF_REACH:
            self._rest_until = self._clock.now() + REST_S
        self._note(error.problem)

    async def _within(self, work: Coroutine[Any, Any, Intent]) -> Intent:
        """Wait for `work` for as long as the settings allow; whatever it raises becomes a BrainError."""
        job = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self._clock.sleep(self._settings.timeout_s))
        try:
            await asyncio.wait({job, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not job.done():
                raise BrainError("model_timeout", "The language model took too long", retryable=True)
            return job.result()
        except BrainError:
            raise
        except Exception as error:
            raise BrainError("model_failed", f"The language model failed ({type(error).__name__})") from error
        finally:
            job.cancel()
            timer.cancel()
            await asyncio.gather(job, timer, return_exceptions=True)

    async def _provider(self) -> LanguageModel | None:
        if not self._chosen:
            self._chosen = True
            try:
                self._model = await asyncio.to_thread(_choose, self._settings)
            except BrainError as error:
                self._note(error.problem)
        return self._model


def _choose(settings: BrainSettings) -> LanguageModel | None:
    """The language model that the settings ask for. Raises BrainError where it cannot be had."""
    name = settings.provider
    if name == "auto":
        if keys.anthropic(settings) is not None:
            name = "claude"
        elif settings.openai_base_url and settings.openai_model:
            name = "openai"
        else:
            name = "none"
    if name == "none":
        return None
    module, _, member = PROVIDERS[name].partition(":")
    provider: _Provider = getattr(importlib.import_module(module), member)
    return provider(settings)


def _decided(text: str) -> bool:
    """Whether it asks what the rules for everybody have an answer to: then no model need tell what it is."""
    if not asks(text):
        return False
    try:
        return clear(text, load(None)) is not None
    except RulesError:
        return False
