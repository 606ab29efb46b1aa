"""What a job changed, from its two checkpoints; judged by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.checkpoint.diff import difference
from tests.projects import contents, git

pytestmark = pytest.mark.integration


def change(repo: Path) -> None:
    (repo / "kept.py").write_text("one\n2\nthree")
    (repo / "gone.py").unlink()
    (repo / "new folder").mkdir()
    (repo / "new folder" / "new.py").write_text("x = 1\n\ny = 2\n")
    (repo / "tool.sh").chmod(0o755)
    (repo / "empty.txt").write_text("")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    (folder / "kept.py").write_text("one\ntwo\nthree\n")
    (folder / "gone.py").write_text("bye\n")
    (folder / "tool.sh").write_text("#!/bin/sh\n")
    return folder


def test_git_applies_it_to_what_was_there_before(repo: Path, tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints", repo)
    before = store.take("before").id
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", repo, copy], check=True)
    change(repo)
    wanted = contents(repo)
    after = store.take("after").id
    # Whoever edits afterwards changes nothing of it.
    (repo / "kept.py").write_text("own\n")
    (repo / "own.py").write_text("own\n")
    store.take("later")
    found = difference(store, before, after)
    assert found.whole
    assert found.files == ("empty.txt", "gone.py", "kept.py", "new folder/new.py", "tool.sh")
    (tmp_path / "job.diff").write_text(found.text)
    git(copy, "apply", str(tmp_path / "job.diff"))
    assert contents(copy) == wanted
    assert os.access(copy / "tool.sh", os.X_OK)
    store.close()


def test_what_is_no_text_is_only_named(repo: Path, tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints", repo)
    before = store.take("before").id
    (repo / "picture").write_bytes(b"\0\1\2")
    (repo / "large.txt").write_text("line\n" * 30_000)
    (repo / "link").symlink_to("kept.py")
    found = difference(store, before, store.take("after").id)
    assert not found.whole
    assert "Binary files a/picture and b/picture differ" in found.text
    assert "Binary files a/large.txt" in found.text
    assert "new file mode 120000" in found.text
    with pytest.raises(ExecutorError, match="no longer kept"):
        difference(store, before, 4711)
    store.close()
