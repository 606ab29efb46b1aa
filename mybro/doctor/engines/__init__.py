"""One module for each program that looks; the table says which."""

from __future__ import annotations

from importlib import import_module

from mybro.doctor.engine import Engine

TABLE = {
    "mybro": "mybro.doctor.own.sweep:Own",
    "ruff": "mybro.doctor.engines.ruff:Ruff",
    "typos": "mybro.doctor.engines.typos:Typos",
    "complexipy": "mybro.doctor.engines.complexipy:Complexipy",
    "ast-grep": "mybro.doctor.engines.astgrep:AstGrep",
    "zizmor": "mybro.doctor.engines.zizmor:Zizmor",
    "deptry": "mybro.doctor.engines.deptry:Deptry",
    "vulture": "mybro.doctor.engines.vulture:Vulture",
    "validate-pyproject": "mybro.doctor.engines.pyproject:ValidatePyproject",
    "betterleaks": "mybro.doctor.engines.leaks:Betterleaks",
    "gitleaks": "mybro.doctor.engines.leaks:Gitleaks",
    "shellcheck": "mybro.doctor.engines.shell:Shellcheck",
    "hadolint": "mybro.doctor.engines.shell:Hadolint",
    "actionlint": "mybro.doctor.engines.shell:Actionlint",
    "swiftlint": "mybro.doctor.engines.more:Swiftlint",
    "oxlint": "mybro.doctor.engines.more:Oxlint",
    "knip": "mybro.doctor.engines.more:Knip",
    "clippy": "mybro.doctor.engines.cargo:Clippy",
    "rustfmt": "mybro.doctor.engines.cargo:Rustfmt",
    "cargo-deny": "mybro.doctor.engines.cargo:CargoDeny",
    "mypy": "mybro.doctor.engines.more:Mypy",
    "uv": "mybro.doctor.engines.more:Uv",
    "rules": "mybro.doctor.stack:StackRules",
}
"""Engine to the dotted path of its class."""


def load(name: str) -> Engine:
    """The engine of this name; its module is imported now."""
    module, _, attribute = TABLE[name].partition(":")
    engine: Engine = getattr(import_module(module), attribute)()
    return engine
