"""New projects: what is made, and that nothing is left of what could not be made."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.errors import ScaffoldError
from mybro.scaffold.catalogue import Template, find, templates
from mybro.scaffold.create import create, folder_name

pytestmark = pytest.mark.integration

NAMES = [template.name for template in templates()]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person without any settings of git."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_a_repository_with_nothing_left_to_fill_in(name: str, tmp_path: Path) -> None:
    project = create(find(name), "My Shop 2", tmp_path, lock=False)
    assert project.path == tmp_path / "my-shop-2" and project.name == "My Shop 2"
    listed = subprocess.run(["git", "ls-files"], cwd=project.path, capture_output=True, text=True, check=True)
    files = listed.stdout.splitlines()
    assert len(files) == project.files and not any(".jinja" in file for file in files)
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project.path, capture_output=True, check=True
    )
    assert status.stdout == b""
    readme = (project.path / "README.md").read_text()
    assert "My Shop 2" in readme and "{{" not in readme
    assert all(command in readme for command in find(name).next)
    assert {"LICENSE", ".gitignore"} <= set(files)


def test_a_template_is_found_as_it_is_said() -> None:
    assert find("checkpoint compute").name == find("Checkpoint_Compute").name == "checkpoint-compute"
    assert find("rayon").name == "checkpoint-compute"
    with pytest.raises(ScaffoldError, match="there is no template cobol"):
        find("cobol")


def test_a_tag_of_several_is_not_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "template.toml").write_text(
            'title = "x"\ntags = ["web"]\nneeds = []\nnext = []\nlock = ""\n'
        )
    monkeypatch.setattr("mybro.scaffold.catalogue.folder", lambda: tmp_path)
    with pytest.raises(ScaffoldError, match="several templates for web") as error:
        find("web")
    assert "one, two" in error.value.hint


@pytest.mark.parametrize("name", ["", "../up", "/abs", "a/b", "-x", "x" * 80, "1st", "a\nb", "a..b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ScaffoldError, match="cannot be a project's name"):
        folder_name(name)


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("shop", "file"):
        with pytest.raises(ScaffoldError, match="is there already"):
            create(find(NAMES[0]), name, tmp_path, lock=False)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine.txt", "shop"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert create(find(NAMES[0]), "shop", tmp_path, lock=False).files > 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_of_what_fails_nothing_is_left(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "project").mkdir(parents=True)
    (broken / "copier.yml").write_text("_subdirectory: project\n_templates_suffix: .jinja\n")
    (broken / "project/a.txt").write_text("fine")
    (broken / "project/b.txt.jinja").write_text("{{ unclosed")
    # copier leaves the folder that it was reading open.
    template = Template("broken", broken, "", (), ("no-such-program",), (), "no-such-program --lock")
    with pytest.raises(ScaffoldError, match="could not be made"):
        create(template, "shop", tmp_path)
    assert not (tmp_path / "shop").exists()
    (broken / "project/b.txt.jinja").unlink()
    made = create(template, "shop", tmp_path)
    assert made.missing == ("no-such-program",) and not made.locked


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in NAMES)
    assert main(["new", "--list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == NAMES
    assert main(["new", "shop", "-t", NAMES[0], "--no-lock"]) == 0
    assert "make test" in capsys.readouterr().out and shutil.which("git")
    assert (tmp_path / "shop/README.md").is_file()
    assert (
        main(["new", "toy", "-t", NAMES[0], "--no-lock", "--json", "-d", "description=Toys, in order"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["path"] == str(tmp_path / "toy")
    assert "Toys, in order" in (tmp_path / "toy/README.md").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["x"], ["x", "-t", "nope"], ["../x", "-t", NAMES[0]], ["x", "-t", NAMES[0], "-d", "k"]],
)
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err
