"""Settings, typed: defaults, TOML file, MYBRO_* variables, then flags."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from mybro.config.sections import (
    AudioSettings,
    BrainSettings,
    ExecutorSettings,
    JournalSettings,
    ServerSettings,
    SpeakSettings,
    TranscribeSettings,
    TurnSettings,
    WordsSettings,
)
from mybro.errors import ConfigError

__all__ = [
    "APP",
    "AudioSettings",
    "BrainSettings",
    "ExecutorSettings",
    "JournalSettings",
    "ServerSettings",
    "Settings",
    "SpeakSettings",
    "TranscribeSettings",
    "TurnSettings",
    "WordsSettings",
    "cache_dir",
    "config_file",
    "data_dir",
    "load_settings",
]

APP = "mybro"


def config_file() -> Path:
    """The settings file's path, whether it exists or not."""
    override = os.environ.get("MYBRO_CONFIG_FILE")
    return Path(override) if override else platformdirs.user_config_path(APP) / "config.toml"


def data_dir() -> Path:
    """Where the journal, checkpoints and recordings live."""
    override = os.environ.get("MYBRO_DATA_DIR")
    return Path(override) if override else platformdirs.user_data_path(APP)


def cache_dir() -> Path:
    """Where model weights live; everything in it can be fetched again."""
    override = os.environ.get("MYBRO_CACHE_DIR")
    return Path(override) if override else platformdirs.user_cache_path(APP)


class Settings(BaseSettings):
    """Everything that can be set. `MYBRO_AUDIO__HANGOVER_MS=700` sets `[audio] hangover_ms`."""

    model_config = SettingsConfigDict(
        env_prefix="MYBRO_",
        env_nested_delimiter="__",
        extra="forbid",
        validate_default=True,
        nested_model_default_partial_update=True,
    )

    audio: AudioSettings = AudioSettings()
    turn: TurnSettings = TurnSettings()
    transcribe: TranscribeSettings = TranscribeSettings()
    words: WordsSettings = WordsSettings()
    brain: BrainSettings = BrainSettings()
    executor: ExecutorSettings = ExecutorSettings()
    speak: SpeakSettings = SpeakSettings()
    journal: JournalSettings = JournalSettings()
    server: ServerSettings = ServerSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())


def load_settings(flags: dict[str, Any] | None = None) -> Settings:
    """Read the settings; `flags` (nested as in the file) win over everything.

    Raises `ConfigError` with the name of each setting that cannot be used.
    """
    try:
        if config_file().is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return Settings(**(flags or {}))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(
            "bad_setting",
            f"a setting cannot be used: {wrong}",
            hint=f"It comes from an option, a MYBRO_ variable, or {config_file()}",
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            "bad_config_file", f"{config_file()} cannot be read: {error}", hint="Mend or remove the file"
        ) from None
