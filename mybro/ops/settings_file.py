"""The settings file as a person edits it: names, values, where each comes from, and comments kept."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from mybro.config import Settings, config_file
from mybro.errors import ConfigError

if TYPE_CHECKING:
    import tomlkit

Origin = Literal["default", "file", "environment"]

HIDDEN = "********"


@dataclass(frozen=True, slots=True)
class Name:
    """One setting that exists."""

    section: str
    key: str
    field: FieldInfo

    def __str__(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def secret(self) -> bool:
        annotation = self.field.annotation
        return annotation is SecretStr or SecretStr in get_args(annotation)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"MYBRO_{self.section}__{self.key}".upper()


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it is in force; a secret's value is hidden."""

    name: str
    value: Any
    origin: Origin
    description: str


def names() -> Iterator[Name]:
    """Every setting, in the order of the file."""
    for section, field in Settings.model_fields.items():
        for key, inner in _model(field).model_fields.items():
            yield Name(section, key, inner)


def named(name: str) -> Name:
    """The setting of that name. Raises `ConfigError` with the nearest ones."""
    known = {str(each): each for each in names()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    near = near or [each for each in known if each.endswith(f".{name}")]
    hint = f"Did you mean {' or '.join(near)}?" if near else "See: mybro config show"
    raise ConfigError("unknown_setting", f"there is no setting {name!r}", hint=hint)


def effective(settings: Settings) -> list[Effective]:
    """Every setting with its value and where it comes from."""
    by_environment = EnvSettingsSource(Settings)()
    by_file = _parsed(config_file())
    told = []
    for name in names():
        value = getattr(getattr(settings, name.section), name.key)
        if name.secret:
            value = HIDDEN if value else None
        origin: Origin = "default"
        if name.key in _table(by_environment, name.section):
            origin = "environment"
        elif name.key in _table(by_file, name.section):
            origin = "file"
        told.append(Effective(str(name), value, origin, name.field.description or ""))
    return told


def store(name: str, text: str) -> Any:
    """Set a value in the file, as typed by a person, and return it as it is understood.

    Raises `ConfigError` for an unknown name, a value that does not fit, or a secret, and leaves the file
    as it was then.
    """
    setting = named(name)
    if setting.secret:
        raise ConfigError(
            "secret_in_file",
            f"{name} is a secret, and the settings file is no place for one",
            hint=f"Keep it in the keychain: {_keeping(setting)}; or set {setting.variable}",
        )
    value = _understood(setting, text)
    document = _document()
    if setting.section not in document:
        document[setting.section] = {}
    document[setting.section][setting.key] = value
    _write(document)
    return value


def _keeping(setting: Name) -> str:
    """The command that puts a secret where it belongs."""
    return f"mybro serve secret {setting.key}" if setting.section == "server" else "mybro setup --only key"


def discard(name: str) -> bool:
    """Take a value out of the file, so that its default holds; whether there was one."""
    setting = named(name)
    document = _document()
    table = document.get(setting.section)
    if not table or setting.key not in table:
        return False
    del table[setting.key]
    _write(document)
    return True


def _understood(setting: Name, text: str) -> Any:
    """The typed text as a value of the setting's type."""
    tries: list[Any] = [text]
    with contextlib.suppress(ValueError):
        tries.insert(0, tomllib.loads(f"value = {text}")["value"])
    if setting.field.annotation in (str, str | None):
        tries.reverse()  # "4" is the name of a device, not a number
    section = _model(Settings.model_fields[setting.section])
    for value in tries:
        try:
            read = getattr(section.model_validate({setting.key: value}), setting.key)
        except ValidationError as error:
            wrong = error.errors()[-1]["msg"]
        else:
            return read
    raise ConfigError(
        "bad_setting", f"{setting} cannot be {text!r}: {wrong}", hint=setting.field.description or ""
    )


def _model(field: FieldInfo) -> type[BaseModel]:
    annotation = field.annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise TypeError(f"a section of the settings is not a model: {annotation}")
    return annotation


def _table(values: dict[str, Any], section: str) -> dict[str, Any]:
    table = values.get(section)
    return table if isinstance(table, dict) else {}


def _parsed(path: Path) -> dict[str, Any]:
    return dict(_document(path).unwrap())


def _document(path: Path | None = None) -> tomlkit.TOMLDocument:
    import tomlkit

    path = path or config_file()
    try:
        text = path.read_text(encoding="utf-8")
        tomllib.loads(text)  # says more clearly what is wrong
        return tomlkit.parse(text)
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, ValueError) as error:
        raise ConfigError(
            "bad_config_file", f"{path} cannot be read: {error}", hint="Mend it: mybro config edit"
        ) from None


def _write(document: tomlkit.TOMLDocument) -> None:
    """Replace the file whole or not at all; a link to it stays a link."""
    import tomlkit

    path = config_file().resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(tomlkit.dumps(document))
            if path.exists():
                Path(part).chmod(path.stat().st_mode & 0o777)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError("config_not_written", f"{path} cannot be written: {error}") from None
