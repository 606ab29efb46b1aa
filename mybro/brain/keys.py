"""Where a language model's key comes from: the settings, then the environment, then the keychain."""

from __future__ import annotations

import importlib
import os

from mybro.config import APP, BrainSettings


def anthropic(settings: BrainSettings) -> str | None:
    """The key for Claude's API, or None. May take a moment: the keychain can ask the person first."""
    if settings.anthropic_api_key is not None and settings.anthropic_api_key.get_secret_value():
        return settings.anthropic_api_key.get_secret_value()
    return os.environ.get("ANTHROPIC_API_KEY") or _keychain("anthropic")


def openai(settings: BrainSettings) -> str | None:
    """The key for the OpenAI-compatible server, or None: a server of one's own needs none."""
    if settings.openai_api_key is not None and settings.openai_api_key.get_secret_value():
        return settings.openai_api_key.get_secret_value()
    return None


def _keychain(name: str) -> str | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    try:
        found = keyring.get_password(APP, name)
    # mybro: ignore[PY06] Locked, absent or refused: every backend has errors of its own; none matters here.
    except Exception:
        return None
    return found if isinstance(found, str) and found else None
