"""Tokens for programs: JWTs with a scope and an end, each in a register, so that it can be revoked.

The register holds numbers and dates; the secret that signs them lies in the keychain.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mybro.config import ServerSettings, data_dir
from mybro.errors import ConfigError, ServerError
from mybro.ops import keychain

Scope = Literal["read", "speak", "act"]
SCOPES: tuple[Scope, ...] = ("read", "speak", "act")
"""Each includes those before it."""
ALGORITHM = "HS256"
AUDIENCE = "mybro"
KEYCHAIN_NAME = "server-signing"
LONGEST_DAYS = 366
DAY_S = 86_400

_TABLE = """CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL, revoked REAL)"""


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the register; times are seconds since 1970."""

    id: str
    name: str
    scope: str
    created: float
    expires: float
    revoked: float | None


def secret_of(settings: ServerSettings, *, lasting: bool) -> str:
    """What signs the tokens.

    Where there is no keychain and none is set, one for this run alone; with `lasting` that is an error.
    """
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value()
        if len(secret) < 32:
            raise ServerError(
                "weak_secret", "server.jwt_secret is too short", hint="Take 32 characters or more"
            )
        return secret
    if kept := keychain.read(KEYCHAIN_NAME):
        return kept
    secret = secrets.token_urlsafe(48)
    try:
        keychain.write(KEYCHAIN_NAME, secret)
    except ConfigError as error:
        if lasting:
            raise ServerError(
                error.code,
                f"the signing secret cannot be kept: {error.message}",
                hint="Unlock the keychain, or set MYBRO_SERVER__JWT_SECRET, here and where the server runs",
            ) from None
    return secret


class Tokens:
    """Issues, checks and revokes. Several processes may have theirs on the same register."""

    def __init__(self, secret: str, path: Path | None = None, wall: Callable[[], float] = time.time) -> None:
        self._secret, self._wall = secret, wall
        place = path or data_dir() / "tokens.db"
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(place, timeout=5.0, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(_TABLE)
            place.chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise ServerError("no_register", f"{place} cannot be used: {error}") from None

    def issue(self, scope: Scope, days: float, name: str = "") -> tuple[str, Token]:
        """A new token, which is shown this once, and its entry. Raises `ServerError`."""
        import jwt

        if not 0 < days <= LONGEST_DAYS:
            raise ServerError("bad_request", f"a token lasts up to {LONGEST_DAYS} days")
        now = self._wall()
        entry = Token(secrets.token_hex(8), name, scope, now, now + days * DAY_S, None)
        claims = {
            "jti": entry.id, "scope": scope, "aud": AUDIENCE, "iat": int(now), "exp": int(entry.expires)
        }  # fmt: skip
        with self._register() as database:
            database.execute(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?, NULL)",
                (entry.id, name, scope, now, entry.expires),
            )
        return jwt.encode(claims, self._secret, ALGORITHM), entry

    def check(self, token: str) -> Token:
        """The entry of a good token. Raises `ServerError` with the reason."""
        import jwt

        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._secret, [ALGORITHM], audience=AUDIENCE,
                options={"require": ["jti", "exp", "aud", "scope"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
            expires = float(claims["exp"])
        except (jwt.InvalidTokenError, TypeError, ValueError):
            raise ServerError("bad_token", "this token is not one of this server's") from None
        if expires <= self._wall():
            raise ServerError(
                "token_expired", "this token has expired", hint="Get another: mybro serve token"
            )
        found = self.find(str(claims["jti"]))
        if found is None or found.revoked is not None or found.scope != claims["scope"]:
            raise ServerError("token_revoked", "this token has been revoked")
        return found

    def find(self, number: str) -> Token | None:
        with self._register() as database:
            row = database.execute("SELECT * FROM token WHERE id = ?", (number,)).fetchone()
        return Token(*row) if row else None

    def all(self) -> list[Token]:
        """Every token that has not expired, the newest first."""
        with self._register() as database:
            rows = database.execute(
                "SELECT * FROM token WHERE expires > ? ORDER BY created DESC", (self._wall(),)
            )
            return [Token(*row) for row in rows]

    def revoke(self, number: str) -> None:
        """From now on it is refused, also by a server that runs. Raises `ServerError` no_such_token."""
        with self._register() as database:
            done = database.execute(
                "UPDATE token SET revoked = coalesce(revoked, ?) WHERE id = ?", (self._wall(), number)
            )
        if done.rowcount == 0:
            raise ServerError("no_such_token", f"there is no token {number}", hint="See: mybro serve tokens")

    def close(self) -> None:
        self._database.close()

    @contextlib.contextmanager
    def _register(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._database
        except sqlite3.Error as error:
            raise ServerError(
                "no_register", f"the register of tokens failed: {error}", retryable=True
            ) from None
