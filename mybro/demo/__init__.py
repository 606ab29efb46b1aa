"""The demonstration: a small project with something wrong, and recorded commands that mend it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from mybro.events import Envelope, JobFailed, JobFinished, JobStopped

RECORDINGS = Path(__file__).parent / "recordings"

COMMANDS = (
    "what_is_wrong",
    "run_the_tests",
    "fix_the_lint",
    "run_the_tests",
    "rename",
    "show_the_diff",
    "undo",
)
"""Names of recordings, in the order in which they are played."""

TASK = "add_a_test"
"""A coding task, for whoever has a coding agent signed in."""

_FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": '''"""Prices of a small shop, in cents."""

import os
import sys


def total(prices, user_id):
    """What the user owes: an order of a thousand pieces is free."""
    if len(prices) is 1000:
        print(f"free of charge")
        return 0
    return sum(prices)
''',
    ".gitignore": "__pycache__/\n",
    "tests/__init__.py": "",
    "tests/test_prices.py": """import unittest

from shop.prices import total


class Prices(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(total([100, 250], user_id=7), 350)

    def test_a_thousand_pieces_are_free(self):
        pieces = list(range(1000))
        self.assertEqual(total(pieces, user_id=7), 0)


if __name__ == "__main__":
    unittest.main()
""",
}


def build_project(folder: Path) -> None:
    """Write the project into an empty folder and commit it with git, whose settings are the demo's own."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    who = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "mybro demo")
    mail = dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "demo@localhost")
    environment = {
        **os.environ,
        **who,
        **mail,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "A small shop"]):
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


class Score:
    """Counts what came of the commands."""

    def __init__(self) -> None:
        self._finished = 0
        self._failed = 0

    def watch(self, envelope: Envelope) -> None:
        match envelope.event:
            case JobFinished():
                self._finished += 1
            case JobFailed() | JobStopped():
                self._failed += 1

    def missed(self, commands: int) -> int:
        """How many of so many commands did not end well."""
        return max(commands - self._finished, self._failed)
