"""Settings, from the environment: PHOTOS_FOLDER=/srv/photos."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What can be set; the key of the Claude API is ANTHROPIC_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="PHOTOS_")

    folder: Path = Path("data")
    """Where the catalogue and the photos are."""
    model: str = "claude-sonnet-4-5"
    max_bytes: int = 20_000_000
    max_pixels: int = 60_000_000
    """A small file can hold a picture that fills the memory."""
    calls_per_minute: int = 120
    """For each address."""
