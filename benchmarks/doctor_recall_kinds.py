"""What other tools' test files say is wrong, in the doctor's own terms; for the benchmark of its recall."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from benchmarks.doctor_recall_judge import OTHER
from mybro.doctor.check import catalogue

Found = list[tuple[int, str, bool, str, bool]]
"""What a `Label` holds behind its path: line (0: anywhere), kind, whether it is bad, rule, whether closed."""

_ONE = {"SEC01": "secret", "SEC02": "secret", "SEC16": "secret"}
"""Kinds that tools do not tell apart."""


def _table(tool: str) -> dict[str, str]:
    rows = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    return {row[1]: row[2] for row in (line.split("\t") for line in rows) if row[0] == tool}


def _narrower(tool: str) -> frozenset[str]:
    rows = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    return frozenset(
        line.split("\t")[1] for line in rows if line.startswith(tool) and line.endswith("\tnarrower")
    )


_SYMBOLS = _table("pylint")
"""pylint's symbols to a rule that means the same."""
_EXAMPLES = _table("bandit")
"""bandit's examples to what each of them is an example of."""
_NARROWER = _narrower("pylint")
_PYLINT = re.compile(r"#\s*(?:\+(\d+):\s*)?(?:<3\.\d+:\s*)?\[([a-z, -]+)\]")
_BUGBEAR = re.compile(r"[#;]\s*(B\d{3}): ?[-\d]")
_OPTIONS = frozenset({"load-plugins", "py-version"})
"""What a file's settings may say, and its labels still hold for everybody."""
_ASYNC = re.compile(r"#\s*(?:(ASYNC\d{3}):|error:)\s*\d+")


_GAPS = {
    # "These are evil as well but we are only testing inside a with statement", says the file.
    "b017.py": (35, 36, 37),
    # "not implemented", says the file: `Client` imported by its name, called in async code.
    "async212.py": (98,),
    # "{1…}".format(one) raises IndexError, which pylint does not see through an attribute.
    "string_formatting.py": (48,),
    # Nothing in the file reads these names; pylint leaves out what stands under TYPE_CHECKING.
    "unused_import.py": (39, 81, 101),
}
"""Faults that the author's tool does not tell, by the file's own words or by what Python does with the line:
no tool is right or wrong there."""


def _gaps(file: Path) -> Found:
    return [(line, OTHER, True, "", False) for line in _GAPS.get(file.name, ())]


def merged(check: str) -> str:
    return _ONE.get(check, check)


@cache
def kind_of(rule: str) -> str:
    """The kind that a rule of an engine, or a check, belongs to; the rule itself where no check has it."""
    rule = _SYMBOLS.get(rule, rule)
    if rule in catalogue():
        return merged(rule)
    if re.fullmatch(r"B[1-7]\d\d", rule):  # bandit's; ruff has the same numbers, and bugbear ends below 100
        rule = f"S{rule[1:]}"
    rows = [(r, c.id) for c in catalogue().values() for rules in c.engines.values() for r in rules]
    best = max((row for row in rows if rule.startswith(row[0])), key=lambda row: len(row[0]), default=None)
    return merged(best[1]) if best else rule


def _served(rule: str) -> bool:
    return kind_of(rule) != rule


def rule_of(name: str) -> str:
    """The rule that a name means; empty where it is a check, of which each engine has rules of its own."""
    rule = _SYMBOLS.get(name, name)
    if rule in catalogue():
        return ""
    return f"S{rule[1:]}" if re.fullmatch(r"B[1-7]\d\d", rule) else rule


def _fault(line: int, name: str, *, closed: bool = True) -> tuple[int, str, bool, str, bool]:
    known = kind_of(name) in catalogue() or kind_of(name) == "secret"
    return (line, kind_of(name), True, rule_of(name), closed) if known else (line, OTHER, True, "", False)


def _labels_of_a_check(found: Found) -> bool:
    return any(kind != OTHER for _, kind, _, _, _ in found)


def of_bandit(source: Path) -> Iterator[tuple[Path, Found]]:
    for name, rule in _EXAMPLES.items():
        if _served(rule) or rule in catalogue():
            yield source / "examples" / f"{name}.py", [_fault(0, rule)]
    every = {(kind_of(rule), rule_of(rule)) for rule in _EXAMPLES.values()}
    yield (
        source / "examples" / "okay.py",
        [(0, kind, False, rule, True) for kind, rule in sorted(every)],
    )


def of_bugbear(source: Path) -> Iterator[tuple[Path, Found]]:
    for file in sorted((source / "tests" / "eval_files").glob("*.py")):
        found: Found = []
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            found += [_fault(number, rule) for rule in _BUGBEAR.findall(line)]
        if _labels_of_a_check(found):
            yield file, found + _gaps(file)


def of_async(source: Path) -> Iterator[tuple[Path, Found]]:
    for file in sorted((source / "tests" / "eval_files").glob("async*.py")):
        named = re.match(r"async(\d{3})", file.name)
        text = file.read_text(encoding="utf-8")
        if "# ARG" in text or "TRIO_NO_ERROR" in text or not named:
            continue  # what is wrong depends on options
        found: Found = []
        for number, line in enumerate(text.splitlines(), 1):
            if told := _ASYNC.search(line):
                found.append(_fault(number, told[1] or f"ASYNC{named[1]}"))
        if _labels_of_a_check(found):
            yield file, found + _gaps(file)


def of_pylint(source: Path) -> Iterator[tuple[Path, Found]]:
    for file in sorted((source / "tests" / "functional").rglob("*.py")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if _has_options(file.with_suffix(".rc")):
            continue  # what is wrong depends on options
        found: Found = []
        for number, line in enumerate(lines, 1):
            if told := _PYLINT.search(line):
                for symbol in (word.strip() for word in told[2].split(",")):
                    line_of_it = number + int(told[1] or 0)
                    name = symbol if symbol in _SYMBOLS else OTHER
                    found.append(_fault(line_of_it, name, closed=symbol not in _NARROWER))
        if _labels_of_a_check(found):
            yield file, found + _gaps(file)


def _has_options(file: Path) -> bool:
    settings = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        settings.read_string(file.read_text(encoding="utf-8"))
    except (OSError, configparser.Error):
        return file.exists()
    return any(
        key not in _OPTIONS
        for section in settings.sections()
        if section.casefold() != "testoptions"
        for key in settings[section]
    )


def of_zizmor(source: Path) -> Iterator[tuple[Path, Found]]:
    """Each file or folder has the name of the audit that it is for."""
    data = source / "crates" / "zizmor" / "tests" / "integration" / "test-data"
    for file in sorted((*data.glob("*.yml"), *data.glob("*/*.yml"))):
        audit = file.stem if file.parent == data else file.parent.name
        known = any(audit in check.engines.get("zizmor", ()) for check in catalogue().values())
        if known and file.name not in ("action.yml", "dependabot.yml") and "repro" not in file.name:
            yield file, [_fault(0, audit)]


READERS: dict[str, Callable[[Path], Iterator[tuple[Path, Found]]]] = {
    "bandit": of_bandit,
    "flake8-bugbear": of_bugbear,
    "flake8-async": of_async,
    "pylint": of_pylint,
    "zizmor": of_zizmor,
}
