"""People, permissions and a keychain for the tests of `mybro setup`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from mybro.ops.permissions import Access, Permission


class FakeDesk:
    """Somebody who gives prepared answers, in order, and whose screen can be read."""

    def __init__(self, answers: Sequence[str] = (), *, attended: bool = True) -> None:
        self.attended = attended
        self.answers = list(answers)
        self.screen: list[str] = []
        self.questions: list[str] = []

    def say(self, line: str) -> None:
        self.screen.append(line)

    def ask(self, question: str, default: str = "") -> str:
        self.questions.append(question)
        return (self._answer(question) or default) if self.attended else default

    def ask_secret(self, question: str) -> str:
        self.questions.append(question)
        return self._answer(question) if self.attended else ""

    def _answer(self, question: str) -> str:
        assert self.answers, f"nobody has an answer to: {question}"
        return self.answers.pop(0)

    @property
    def text(self) -> str:
        return "\n".join(self.screen)


class FakePermissions:
    """macOS's answers: `states` now, `after` once the person has seen a request or a pane."""

    def __init__(self, states: dict[str, Access], after: dict[str, Access] | None = None) -> None:
        self.states = states
        self.after = after or {}
        self.opened: list[str] = []
        self.requested: list[str] = []

    def access(self, permission: Permission) -> Access:
        return self.states[permission.name]

    def request(self, permission: Permission) -> Access:
        self.requested.append(permission.name)
        self.states[permission.name] = self.after.get(permission.name, "denied")
        return self.states[permission.name]

    def open_pane(self, permission: Permission) -> None:
        self.opened.append(permission.pane)
        self.states[permission.name] = self.after.get(permission.name, self.states[permission.name])


class MemoryKeychain(KeyringBackend):
    """A keychain that forgets everything with the process; `locked` refuses like one that is."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    @property
    def name(self) -> str:
        return "a keychain in memory"

    def _unlocked(self) -> None:
        if self.locked:
            raise KeyringLocked("it is locked")

    def get_password(self, service: str, username: str) -> str | None:
        self._unlocked()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._unlocked()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._unlocked()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@contextmanager
def keychain_in_memory() -> Iterator[MemoryKeychain]:
    """Put a keychain of our own in place of the machine's."""
    before = keyring.get_keyring()
    ours = MemoryKeychain()
    keyring.set_keyring(ours)
    try:
        yield ours
    finally:
        keyring.set_keyring(before)
