"""API keys in the system's keychain: macOS's Keychain, or a Secret Service on Linux.

The `keyring` package is optional: without it, or without a keychain, nothing is stored and reading gives
None.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from mybro.errors import ConfigError

SERVICE = "mybro"


def available() -> str | None:
    """The keychain's name; None where there is none."""
    backend = _backend()
    return None if backend is None else str(backend.name)


def read(name: str) -> str | None:
    """The key of a service such as "anthropic", or None. The system may ask the person first."""
    backend = _backend()
    if backend is None:
        return None
    try:
        key: str | None = backend.get_password(SERVICE, name)
    # mybro: ignore[PY06] Locked, refused or gone: every backend has errors of its own; none matters here.
    except Exception:
        return None
    return key or None


def write(name: str, key: str) -> None:
    """Store a key, in place of an earlier one. Raises `ConfigError` where that is not possible."""
    backend = _backend()
    if backend is None:
        raise ConfigError(
            "no_keychain",
            "there is no keychain that a key could be kept in",
            hint="An environment variable serves as well",
        )
    try:
        backend.set_password(SERVICE, name, key)
    except Exception as error:
        refusal = f"the keychain did not take the key ({type(error).__name__})"
        raise ConfigError("keychain_refused", refusal, hint="Unlock it, and try again") from None


def forget(name: str) -> bool:
    """Remove a key; whether there was one."""
    backend = _backend()
    if backend is None:
        return False
    try:
        backend.delete_password(SERVICE, name)
    except Exception:  # mybro: ignore[PY06] every backend has errors of its own for a key that is not there
        return False
    return True


def _backend() -> Any | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    return None if isinstance(backend, fail.Keyring | null.Keyring) else backend
