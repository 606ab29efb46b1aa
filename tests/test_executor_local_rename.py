"""Renaming by the refactoring library, and finding where a name is used, in real repositories."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.events import JobAsked
from mybro.executor.actions.rename import ALL
from mybro.intent import Action
from tests.executor_tools import Local, label, new_repository, refuse, write
from tests.fakes.executor import git

pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration

FILES = {
    "shop/__init__.py": "",
    "shop/dates.py": (
        '"""Dates: parse_date is known here."""\n\n\n'
        'def parse_date(text):\n    """Not parse_date itself."""\n'
        "    return text\n\n\nclass Order:\n    def total(self):\n        return 1\n\n    def tax(self):\n"
        "        return self.total()\n\n\nclass Basket:\n    def total(self):\n        return 2\n"
    ),
    "shop/main.py": (
        "from shop.dates import Order, parse_date\n\nparsed = parse_date('parse_date')\n"
        "print(parse_date(parsed), Order().total())\n"
    ),
    "notes.md": "parse_date and formatMoney are documented here\n",
    "web.js": "function formatMoney(x) { return x }\n",
}


@pytest.fixture
def local(tmp_path: Path, bare_machine: Path) -> Local:
    return Local(new_repository(tmp_path / "shop", FILES))


async def fails(local: Local, action: Action, **said: str) -> ExecutorError:
    with pytest.raises(ExecutorError) as raised:
        await local.do(action, **said)
    return raised.value


def still_runs(repo: Path) -> str:
    done = subprocess.run([sys.executable, "-m", "shop.main"], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_function_is_renamed_in_every_file(local: Local) -> None:
    outcome = await local.do(Action.RENAME, old_name="parse date", new_name="read date")
    assert outcome.summary == "Renamed parse_date to read_date in 2 files: dates.py and main.py."
    assert outcome.detail == "shop/dates.py: parse_date -> read_date\nshop/main.py: parse_date -> read_date"
    main = (local.repo / "shop/main.py").read_text()
    assert "read_date('parse_date')" in main
    assert "import Order, read_date" in main
    assert '"""Not parse_date itself."""' in (local.repo / "shop/dates.py").read_text()
    assert still_runs(local.repo) == "parse_date 1\n"
    assert git(local.repo, "status", "--short", "--ignored").splitlines()[:2] == [
        " M shop/dates.py", " M shop/main.py",
    ]  # fmt: skip
    assert (await local.do(Action.RENAME, old_name="read date", new_name="read_date")).summary == (
        "It is called read_date already."
    )


@pytest.mark.parametrize("answer", ["Order in dates.py", "Basket in dates.py", ALL])
async def test_which_of_two_methods(local: Local, answer: str) -> None:
    local.reply = label(answer)
    assert (await local.do(Action.RENAME, old_name="total", new_name="sum up")).ok
    (asked,) = local.asked
    assert asked.text == (
        "total is defined in 2 places: Order in dates.py and Basket in dates.py. Which one, or all of them?"
    )
    dates = (local.repo / "shop/dates.py").read_text()
    assert dates.count("def sum_up") == (2 if answer == ALL else 1)
    assert ("self.sum_up()" in dates) == (answer != "Basket in dates.py")
    assert still_runs(local.repo) == "parse_date 1\n"


async def test_nothing_is_renamed_without_an_answer(local: Local) -> None:
    local.reply = refuse
    assert (await fails(local, Action.RENAME, old_name="total", new_name="sum")).code == "not_chosen"
    assert git(local.repo, "status", "--short") == ""


async def test_a_name_that_was_misheard(local: Local) -> None:
    local.reply = label("parse_date")
    assert (await local.do(Action.RENAME, old_name="parts date", new_name="read date")).ok
    assert local.asked[0].text == "I found no parts date. Did you mean parse_date?"


async def test_which_casing_is_meant(local: Local) -> None:
    write(local.repo, {"shop/more.py": "userId = 1\nuser_id = 2\nprint(userId, userId, user_id)\n"})

    local.reply = label("user_id")
    assert (await local.do(Action.RENAME, old_name="user id", new_name="account id")).ok
    assert local.asked[0].text == "Which one: userId or user_id?"
    assert (local.repo / "shop/more.py").read_text() == (
        "userId = 1\naccount_id = 2\nprint(userId, userId, account_id)\n"
    )


async def test_what_the_library_cannot_do_goes_to_a_session(local: Local) -> None:
    for old in ("format money", "print"):
        assert (await fails(local, Action.RENAME, old_name=old, new_name="x1")).code == "needs_agent"
    assert (await fails(local, Action.RENAME, old_name="zzzzqqq", new_name="x1")).code == "no_such_name"
    for new in ("class", "!!!", "1 2 3"):
        assert (await fails(local, Action.RENAME, old_name="parse date", new_name=new)).code == "bad_name"
    with pytest.raises(ExecutorError) as raised:
        await local.do(Action.RENAME, old_name="x")
    assert raised.value.code == "no_name"


async def test_a_path_narrows_it_down(local: Local) -> None:
    write(local.repo, {"a/one.py": "limit = 1\n", "b/two.py": "limit = 2\n"})
    assert (await local.do(Action.RENAME, old_name="limit", new_name="most", path="a")).ok
    assert (local.repo / "a/one.py").read_text() == "most = 1\n"
    assert (local.repo / "b/two.py").read_text() == "limit = 2\n"
    assert local.asked == []


async def test_a_global_is_preferred_to_locals_of_the_same_name(local: Local) -> None:
    write(
        local.repo, {"one.py": "def limit():\n    return 1\n", "two.py": "def f(limit):\n    return limit\n"}
    )
    assert (await local.do(Action.RENAME, old_name="limit", new_name="most")).ok
    assert "limit" in (local.repo / "two.py").read_text()


async def test_line_ends_marks_and_encodings_stay(local: Local) -> None:
    crlf, marked = local.repo / "crlf.py", local.repo / "marked.py"
    latin = local.repo / "latin.py"
    crlf.write_bytes(b"speed = 1\r\nprint(speed)\r\n")
    marked.write_bytes(b"\xef\xbb\xbfheight = 1\nprint('\xc3\xa9', height)\n")
    latin.write_bytes(b"# -*- coding: latin-1 -*-\nweight = '\xe9'\nprint(weight)\n")
    for old, new in (("speed", "pace"), ("height", "size"), ("weight", "mass")):
        assert (await local.do(Action.RENAME, old_name=old, new_name=new)).ok
    assert crlf.read_bytes() == b"pace = 1\r\nprint(pace)\r\n"
    assert marked.read_bytes() == b"\xef\xbb\xbfsize = 1\nprint('\xc3\xa9', size)\n"
    assert latin.read_bytes() == b"# -*- coding: latin-1 -*-\nmass = '\xe9'\nprint(mass)\n"


async def test_attributes_and_names_beside_broken_files(local: Local) -> None:
    write(local.repo, {
        "broken.py": "def f(:\n    price\n",
        "shelf.py": "class Shelf:\n    def __init__(self):\n        self.price = 1  # é\n\n"
                    "    def show(self):\n        return self.price\n",
    })  # fmt: skip
    assert (await local.do(Action.RENAME, old_name="price", new_name="cost")).ok
    shelf = (local.repo / "shelf.py").read_text()
    assert shelf.count("self.cost") == 2
    assert "price" in (local.repo / "broken.py").read_text()


async def test_a_cancelled_rename_changes_nothing(local: Local) -> None:
    asking = asyncio.create_task(local.do(Action.RENAME, old_name="total", new_name="sum"))
    await local.until(lambda event: isinstance(event, JobAsked))
    await local.hand.stop()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert local.withdrawn == [local.asked[0].question]
    assert git(local.repo, "status", "--short") == ""


# ---------------------------------------------------------------------------- usages


async def test_usages(local: Local) -> None:
    outcome = await local.do(Action.FIND_USAGES, symbol="parse date")
    assert outcome.summary == "parse_date is used 8 times in 3 files: main.py, dates.py and notes.md."
    assert "shop/main.py:4: print(parse_date(parsed), Order().total())" in outcome.detail
    one = await local.do(Action.FIND_USAGES, target="Basket")
    assert one.summary == "Basket is used 1 time in shop/dates.py."
    nearly = await local.do(Action.FIND_USAGES, symbol="format monies")
    assert nearly.summary.startswith("formatMoney is used 2 times in 2 files")
    nothing = await local.do(Action.FIND_USAGES, symbol="zzzzqqq")
    assert (nothing.summary, nothing.ok) == ("I found no zzzzqqq.", False)
    with pytest.raises(ExecutorError) as raised:
        await local.do(Action.FIND_USAGES)
    assert raised.value.code == "no_symbol"


async def test_many_usages_are_cut(local: Local) -> None:
    write(local.repo, {"many.py": "often = 1\n" * 600})
    outcome = await local.do(Action.FIND_USAGES, symbol="often")
    assert outcome.summary == "often is used 600 times in many.py."
    assert outcome.detail.splitlines()[-1] == "(100 more lines)"
