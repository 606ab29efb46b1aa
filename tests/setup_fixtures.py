"""Fixtures for tests of `mybro setup`: `pytest_plugins = ["tests.setup_fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.desk import MemoryKeychain, keychain_in_memory


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def chain() -> Iterator[MemoryKeychain]:
    with keychain_in_memory() as ours:
        yield ours
