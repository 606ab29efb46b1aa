"""Who asks, and what they may do: the page by its token and a cookie, programs by JWT."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from mybro.errors import ServerError
from mybro.ops import keychain
from mybro.server.browsers import Browsers
from mybro.server.tokens import SCOPES, Scope, Tokens

PASSWORD_NAME = "server-password"  # noqa: S105 - the keychain's name for it
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who may call."""

    name: str
    """For rates and logs; holds no secret."""
    scope: Scope
    by: str
    """cookie, page or token."""

    def may(self, scope: Scope) -> bool:
        return SCOPES.index(scope) <= SCOPES.index(self.scope)


class Doorkeeper:
    """Knows the page's token, the browsers that have shown it, and the programs' tokens."""

    def __init__(
        self, tokens: Tokens, port: int, *, password_hash: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.page_token = secrets.token_urlsafe(32)
        self.tokens = tokens
        # Cookies do not tell ports apart: two sessions on one machine must not put each other out.
        self.cookie = f"mybro_{port}"
        self._password_hash = password_hash
        self._browsers = Browsers(self.cookie, wall=wall)

    @property
    def has_password(self) -> bool:
        return self._password_hash is not None

    def who(self, authorization: str, cookies: str) -> Who:
        """Whoever shows these headers. Raises `ServerError`: no_credentials, bad_token, …."""
        if authorization:
            kind, _, shown = authorization.partition(" ")
            if kind.lower() != "bearer" or not shown:
                raise ServerError("bad_token", "credentials are given as: Authorization: Bearer TOKEN")
            return self.by_token(shown.strip())
        if cookies and (session := self._cookie(cookies)) is not None:
            return session
        raise ServerError(
            "no_credentials",
            "this needs a token",
            hint="Open the address that mybro printed, or send: Authorization: Bearer TOKEN",
        )

    def by_token(self, shown: str) -> Who:
        """Whoever shows a token: the page's, or a program's. Raises `ServerError`."""
        if self.is_page_token(shown):
            return Who("page", "act", "page")
        entry = self.tokens.check(shown)
        scope: Scope = next(known for known in SCOPES if known == entry.scope)
        return Who(f"token-{entry.id}", scope, "token")

    def is_page_token(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), self.page_token.encode())

    def is_password(self, shown: str) -> bool:
        return self._password_hash is not None and matches(shown, self._password_hash)

    def open_session(self) -> str:
        """A new browser's session: the cookie's value."""
        return self._browsers.add()

    def close_session(self, cookies: str) -> None:
        self._browsers.remove(self._value(cookies))

    def close(self) -> None:
        self._browsers.close()
        self.tokens.close()

    def _cookie(self, cookies: str) -> Who | None:
        name = self._browsers.find(self._value(cookies))
        return None if name is None else Who(name, "act", "cookie")

    def _value(self, cookies: str) -> str:
        for pair in cookies.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie:
                return value
        return ""


def hash_of(password: str) -> str:
    """What is kept of a password: salt and scrypt's result, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt)}"


def matches(password: str, kept: str) -> bool:
    salt, _, wanted = kept.partition("$")
    try:
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), wanted)
    except ValueError:
        return False


def _scrypt(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_SCRYPT).hex()


def kept_password() -> str | None:
    """The password's hash, as the keychain has it."""
    return keychain.read(PASSWORD_NAME)
