"""Understanding for several conversations at once, each with its own window, and with a cache."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import OrderedDict, deque

from pydantic import ValidationError

from mybro import __version__
from mybro.brain.dialog import Dialog
from mybro.errors import MybroError
from mybro.intent import Intent
from mybro.pipeline.ports import Thinks
from mybro.server.cache import Cache
from mybro.words import norms

log = logging.getLogger(__name__)

CONVERSATIONS = 200
EXPECTED = 64
_POINTING = re.compile(
    r"\b(it|its|that|this|these|those|them|they|same|again|one|ones|there|also|too|instead|other|another|"
    r"previous|last|next|first|second|undo|continue)\b",
    re.IGNORECASE,
)
"""Words with which a sentence means something only in the light of those before it."""


class Conversations:
    """The pipeline's `Thinks`: a brain, and around it the dialogs of clients and a cache of intents."""

    def __init__(
        self, brain: Thinks, *, cache: Cache | None = None, ttl_s: float = 0.0, name: str = ""
    ) -> None:
        """`name` says which models answer: what another one understood is not taken for theirs."""
        self._brain, self._cache, self._ttl_s, self._name = brain, cache, ttl_s, name
        self._dialogs: OrderedDict[str, Dialog] = OrderedDict()
        self._expected: deque[tuple[int, str, str]] = deque(maxlen=EXPECTED)
        self._of: OrderedDict[int, str] = OrderedDict()
        """Which conversation a turn belongs to."""
        self._hits: deque[Intent] = deque(maxlen=EXPECTED)

    def expect(self, turn: int, text: str, conversation: str) -> None:
        """A sentence of a conversation is on its way; "" is the person's own at this machine."""
        if conversation:
            self._expected.append((turn, text, conversation))
            self._of[turn] = conversation
            while len(self._of) > CONVERSATIONS:
                self._of.popitem(last=False)

    def understood(self, turn: int, intent: Intent) -> bool:
        """A turn's intent is known: the conversation goes on with it. Returns whether the cache knew it."""
        if (conversation := self._of.get(turn)) is not None:
            self._keep(conversation, self._dialog(conversation).add(intent.text, intent))
        return any(hit is intent for hit in self._hits)

    def settle(self, turn: int, outcome: str) -> None:
        """What came of a turn."""
        if (conversation := self._of.get(turn)) is not None:
            self._keep(conversation, self._dialog(conversation).settle(outcome))

    async def understand(self, text: str, dialog: Dialog) -> Intent:
        """See `Thinks`."""
        for entry in self._expected:
            if entry[1].strip() == text.strip():
                self._expected.remove(entry)
                dialog = self._dialog(entry[2])
                break
        if self._cache is None or self._ttl_s <= 0:
            return await self._brain.understand(text, dialog)
        key = key_of(text, dialog, self._name)
        if (kept := await self._kept(key)) is not None:
            self._hits.append(kept)
            return kept
        intent = await self._brain.understand(text, dialog)
        if intent.source in ("claude", "openai"):
            await self._cache.put(key, intent.model_dump_json(), self._ttl_s)
        return intent

    async def forget(self) -> None:
        """Forget the clients' dialogs, and what the cache knows. Raises `ServerError`."""
        self._dialogs.clear()
        self._hits.clear()
        if self._cache is not None:
            await self._cache.clear()

    async def aclose(self) -> None:
        await self._brain.aclose()
        if self._cache is not None:
            await self._cache.aclose()

    async def _kept(self, key: str) -> Intent | None:
        assert self._cache is not None  # noqa: S101 - asked by who has one
        try:
            body = await self._cache.get(key)
            return Intent.model_validate_json(body) if body else None
        except (MybroError, ValidationError):
            return None

    def _dialog(self, conversation: str) -> Dialog:
        return self._dialogs.get(conversation, Dialog())

    def _keep(self, conversation: str, dialog: Dialog) -> None:
        self._dialogs[conversation] = dialog
        self._dialogs.move_to_end(conversation)
        while len(self._dialogs) > CONVERSATIONS:
            self._dialogs.popitem(last=False)


def key_of(text: str, dialog: Dialog, name: str) -> str:
    """The cache's key: the sentence without case and punctuation, and the window where it points back."""
    words = norms(text)
    window = [(turn.text, turn.intent.model_dump(mode="json")) for turn in dialog.turns]
    context = window if _POINTING.search(text) else []
    said = json.dumps([words, context, name, __version__], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
