"""Canary files and the real CLI: nothing happens to them without a yes, outside not even with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.executor.claude.sandbox import find_sandbox
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import bash, text
from tests.fakes.claude import Desk, no, yes
from tests.gate_cases import project
from tests.requirements import need

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.end_to_end

COMMANDS = """
cat canary.txt && mv canary.txt docs/moved.txt && : > docs/moved.txt
git ls-files | head; find . -name canary.txt -print -delete
ls | grep canary | xargs -I@ cp /dev/null @
sed -ne 'w canary.txt' README.md
python3 -c "import json.decoder as d; d.scanner.re.sys.modules['os'].unlink('canary.txt')"
cat README.md | sort -o canary.txt
awk '{ print $0 > "canary.txt" }' README.md
git -c core.fsmonitor="rm canary.txt" status
ls --color=never >| canary.txt
echo $(echo "$(unlink canary.txt)")
for f in can*; do [ -e "$f" ] && install -m 644 /dev/null "$f"; done
git grep --open-files-in-pager="truncate -s0 canary.txt; true" Shop
mkdir x && cd x && cp ../README.md ../canary.txt
node -e 'if (1) /"/.test(2); require("fs").unlinkSync("canary.txt"); if (1) /"/.test(2)'
"""
OUTSIDE = """
echo changed > {outside}/canary.txt
cat README.md | tee {outside}/canary.txt
cd {outside} && ls && echo x >> canary.txt
cp README.md {outside}/canary.txt
python3 -c "open('{outside}/canary.txt', 'w')"
cat {outside}/canary.txt
ln -s {outside} there && echo x > there/canary.txt
CDPATH={outside}/..; cd away && echo x > canary.txt
"""
ALLOWED = ["Bash", "Bash(cat *)", "Bash(git *)", "Bash(find *)", "Read"]


@pytest.fixture
def canaries(claude_env: dict[str, str], tmp_path: Path) -> Path:
    """The project, with a user's own rules that allow every command."""
    settings = Path(claude_env["CLAUDE_CONFIG_DIR"]) / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"permissions": {"allow": ALLOWED}}))
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "canary.txt").write_text("far away\n")
    return project(tmp_path / "in")


@pytest.fixture
def held(claude_bin: str, claude_env: dict[str, str], canaries: Path, tmp_path: Path) -> Desk:
    return Desk(ExecutorSettings(claude_path=claude_bin), claude_env, canaries, tmp_path)


def state(repo: Path, tmp_path: Path) -> list[str | None]:
    places = (repo / "canary.txt", repo / "docs" / "canary.txt", tmp_path / "away" / "canary.txt")
    return [place.read_text() if place.exists() else None for place in places]


async def test_without_a_yes_no_canary_changes(
    held: Desk, claude_api: ScriptedServer, canaries: Path, tmp_path: Path
) -> None:
    before = state(canaries, tmp_path)
    commands = [
        line.format(outside=tmp_path / "away") if "{outside}" in line else line
        for line in (COMMANDS + OUTSIDE).strip().splitlines()
        if line
    ]
    claude_api.when("try everything", [*(bash(command) for command in commands), text("Done.")])
    held.reply = no
    try:
        await held.do("try everything")
        assert [asked.detail for asked in held.asked] == commands
        assert state(canaries, tmp_path) == before
        assert "far away" not in str(claude_api.requests[-1].body)
    finally:
        await held.hand.aclose()


async def test_not_even_a_yes_reaches_outside(
    held: Desk, claude_api: ScriptedServer, canaries: Path, tmp_path: Path
) -> None:
    need(find_sandbox("auto"), "a sandbox: install bubblewrap, or a Linux newer than 6.2")
    away = tmp_path / "away" / "canary.txt"
    code = f"open({str(away)!r}, 'w')"
    steps = [bash(f"echo x > {away}"), bash(f'python3 -c "{code}"'), bash(f"rm -f {away}"), text("Done.")]
    claude_api.when("try outside", steps)
    held.reply = yes
    try:
        await held.do("try outside")
        assert len(held.asked) == 3
        assert away.read_text() == "far away\n"
    finally:
        await held.hand.aclose()


async def test_everyday_commands_are_not_asked_about(
    held: Desk, claude_api: ScriptedServer, canaries: Path
) -> None:
    commands = [
        "ls -la",
        "cat README.md | head -3",
        "grep -rn total src",
        "mkdir -p new && echo x > new/a.txt",
    ]
    claude_api.when("look around", [*map(bash, commands), text("Done.")])
    held.reply = no
    try:
        await held.do("look around")
        assert held.asked == []
        assert (canaries / "new" / "a.txt").read_text() == "x\n"
    finally:
        await held.hand.aclose()
