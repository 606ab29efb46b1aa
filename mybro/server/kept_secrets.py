"""The server's secrets: from the environment, else from the keychain; never from a file that we write."""

from __future__ import annotations

from pydantic import SecretStr

from mybro.config import ServerSettings
from mybro.ops import keychain

NAMES = ("celery_url", "database_url", "jwt_secret", "redis_url")


def keychain_name(name: str) -> str:
    return f"server.{name}"


def with_secrets(settings: ServerSettings) -> ServerSettings:
    """The settings, with what the keychain has of what is not set."""
    found = {
        name: SecretStr(kept)
        for name in NAMES
        if getattr(settings, name) is None and (kept := keychain.read(keychain_name(name)))
    }
    return settings.model_copy(update=found) if found else settings
