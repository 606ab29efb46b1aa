"""From files to a rule set: built-in, the user's, the repository's, in that order."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from mybro.config import config_file
from mybro.errors import RulesError
from mybro.ops import toml
from mybro.rules.model import Exemption, Layer, Rule, RuleSet, Technology

REPOSITORY_FILE = ".mybro/rules.toml"


def data(name: str) -> str:
    """A file of the rules/ folder: from the checkout, or from the installed package."""
    packaged = resources.files(__package__) / "data" / name
    beside = Path(__file__).parents[2] / "rules" / name
    return (beside if beside.is_file() else packaged).read_text(encoding="utf-8")


def user_file() -> Path:
    return config_file().with_name("rules.toml")


def load(repo: Path | None, *, repository_text: str | None = None) -> RuleSet:
    """The rules of a repository, or those that hold everywhere.

    `repository_text` stands for the repository's own file, as it was at another time. Raises `RulesError`.
    """
    layers = [_parse(data(name), name) for name in ("technologies.toml", "stacks.toml")]
    layers += _file(user_file())
    if repository_text is None and repo is not None:
        theirs = _file(repo / REPOSITORY_FILE)
    else:
        theirs = [_parse(repository_text, REPOSITORY_FILE)] if repository_text is not None else []
    if any(technology.text for layer in theirs for technology in layer.technology):
        # An expression that takes for ever would be run on all files of whoever looks at the repository.
        message = f"{REPOSITORY_FILE} has expressions for text, which only your own rules.toml may have"
        raise RulesError("rules_invalid", message)
    return merge([*layers, *theirs])


def merge(layers: Iterable[Layer]) -> RuleSet:
    """Lay layers on each other. Raises `RulesError` where a rule names what nobody describes."""
    rows: dict[str, dict[str, object]] = {}
    technologies: dict[str, Technology] = {}
    exemptions: list[Exemption] = []
    for layer in layers:
        technologies |= {technology.name: technology for technology in layer.technology}
        exemptions += layer.exemption
        for row in layer.rule:
            name = str(row.get("id", ""))
            rows[name] = rows.get(name, {}) | row
    try:
        rules = tuple(rule for row in rows.values() if not (rule := Rule.model_validate(row)).off)
    except ValidationError as error:
        raise _wrong("a rule", error) from error
    for rule in rules:
        unknown = sorted(set(rule.never) - set(technologies))
        if unknown:
            raise RulesError(
                "unknown_technology",
                f"the rule {rule.id} forbids {', '.join(unknown)}, which no [[technology]] describes",
                hint=f"Known: {', '.join(sorted(technologies))}",
            )
    for exemption in exemptions:
        if exemption.rule not in rows:
            raise RulesError(
                "unknown_rule", f"an exception is made of the rule {exemption.rule}, which is none"
            )
    return RuleSet(rules, technologies, tuple(exemptions))


def _file(path: Path) -> list[Layer]:
    try:
        return [_parse(path.read_text(encoding="utf-8"), str(path))]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError("rules_unreadable", f"{path} cannot be read: {error}") from error


def _parse(text: str, name: str) -> Layer:
    try:
        layer = Layer.model_validate(toml.parse(text))
        for technology in layer.technology:
            for pattern in (each for patterns in technology.text.values() for each in patterns):
                re.compile(pattern)
    except tomllib.TOMLDecodeError as error:
        raise RulesError("rules_invalid", f"{name} is not TOML: {error}") from error
    except re.error as error:
        raise RulesError("rules_invalid", f"{name}: {error.pattern!r} is no regular expression") from error
    except ValidationError as error:
        raise _wrong(name, error) from error
    return layer


def _wrong(name: str, error: ValidationError) -> RulesError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return RulesError("rules_invalid", f"{name}: {place}: {first['msg']}", hint="See rules/README.md")
