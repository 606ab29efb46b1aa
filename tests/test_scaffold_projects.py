"""Every template's project is built, linted and tested as a person would do it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from mybro.doctor.examine import Wish, examine
from mybro.ops.bootstrap.places import CACHE
from mybro.scaffold.catalogue import Template, templates
from mybro.scaffold.create import create
from tests.requirements import need
from tests.trials import share

pytestmark = pytest.mark.trial

LIMIT_S = 900
KEPT = ("PATH", "LANG", "TMPDIR", "RUSTUP_HOME", "CARGO_HOME", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE")
TOOLS = ("UV_", "PIP_", "NPM_CONFIG_", "npm_config_", "CARGO_")


@pytest.mark.parametrize("template", share(templates(), seed=5), ids=lambda template: template.name)
def test_a_project_passes_its_own_checks(template: Template, tmp_path: Path) -> None:
    for program in template.needs:
        need(shutil.which(program), f"{program}, which {template.name} is built with")
    project = create(template, "Proof", tmp_path)
    assert project.locked
    checks = tomllib.loads((template.path / "template.toml").read_text())["checks"]
    env = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(TOOLS)}
    # What was fetched and compiled once serves the next run as well.
    env |= {"HOME": os.environ.get("HOME", "/"), "CARGO_TARGET_DIR": str(CACHE / "projects" / template.name)}
    for check in checks:
        done = subprocess.run(
            check.split(), cwd=project.path, env=env, capture_output=True, text=True, timeout=LIMIT_S
        )
        assert done.returncode == 0, f"{check}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project.path, capture_output=True, text=True
    )
    assert status.stdout == "", "what is built and fetched is ignored by git"
    assert examine(Wish(project.path)).failing("medium") == [], "the doctor has nothing to say above low"
