"""Every fix on files put together at random: it settles, its result parses, other lines stay as they are."""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from mybro.doctor.examine import Wish, examine
from mybro.doctor.fix import mend
from tests.trials import share

pytestmark = pytest.mark.integration

PYTHON = [
    "import os, sys",
    "from typing import List, Optional\ndef {n}(a: Optional[int], b: List[str]) -> None:\n    return None",
    "{n} = None\nif {n} == None:\n    {n} = f'a'",
    "class {n}(object):\n    pass",
    "def {n}(a=[], *, b={{}}):\n    return a, b",
    "try:\n    {n} = 1\nexcept (ValueError, ValueError):\n    raise",
    "try:\n    {n} = 1\nexcept ValueError:\n    raise NotImplemented",
    "{n} = set([1, 2]); {n}_b = list([x for x in range(3)])",
    "{n} = {{1, 1, 2}}",
    "def {n}():\n    'Text, também.'\n    pass",
    "for i in range(0, 3):\n    print('%s é' % i)",
    "{n} = lambda a: a",
    "{n} = '\\d'",
    "{n} = '{{}} {{}}'.format('ä', 'b')",
    "{n} = dict([('é', 1), ('b', 2)])",
    "class {n}:\n    def __init__(self):\n        super({n}, self).__init__()",
    "if not {n} is None:\n    print('ü')",
    "{n} = [x for x in [1, 2]]\nfor k in {{'a': 1}}.keys():\n    print(k)",
    "def {n}(x):\n    if x:\n        return True\n    else:\n        return False",
    "assert (1, 'always')",
    "with open('a') as one:\n    with open('b') as two:\n        print(one, two)",
    "{n} = open('a', 'r').read()",
    "if 'a' in {n}.keys():\n    print(\"日本\")",
    "def {n}():\n    x = 3\n    return 4",
    "{n} = True if 3 > 2 else False",
    "import logging\nlogging.warn('é')",
    "print(f'ß')   ",
    "{n} = 'é' is 'e'",
    "def {n}():\n    for x in range(3):\n        yield x",
    "class {n}:\n    a = 1\n    a = 1\n    ...",
    "{n} = str('é').encode('utf-8')",
    "{n} = sorted(list([3, 1]))",
    "if True or {n}:\n    print('ж')",
]
JAVASCRIPT = [
    "var {n} = 'é';",
    "if ({n} == 'ü') {{\n  debugger;\n  go({n});\n}}",
    "if ({n} !== NaN) {{\n  go('日本');\n}}",
    "const {n} = a != b;",
    "debugger;",
]
RUST = [
    "pub fn {n}(v: &[u8]) -> bool {{\n    return v.len() == 0;\n}}",
    "pub fn {n}(v: &str) -> u8 {{\n    if v.len() > 0 {{ dbg!(3) }} else {{ 4 }}\n}}",
]
SWIFT = ['if {n}.count == 0 {{\n    go("é")\n}}', "let {n} = items.count > 0"]
MARKDOWN = ["##Heading{n}", "It is recieved with an é.", "Text with the occured word."]
WORDS = {
    "py": ("# keep {k} «é»", PYTHON),
    "js": ("// keep {k} «é»", JAVASCRIPT),
    "ts": ("// keep {k} «é»", JAVASCRIPT),
    "rs": ("// keep {k} «é»", RUST),
    "swift": ("// keep {k} «é»", SWIFT),
    "md": ("keep {k} «é»\n", MARKDOWN),
}
"""An ending to a line that no fix is about, and to what can be mended."""
ROUNDS = list(range(20))


def made(seed: int, ending: str) -> bytes:
    """A file of one to eight parts, of one kind of line end and indent."""
    rng = random.Random(f"{seed}{ending}")
    keep, parts = WORDS[ending]
    lines = []
    for number in range(rng.randint(1, 8)):
        part = rng.choice(parts).format(n=f"name_{number}")
        if ending == "py" and rng.random() < 0.2:
            part = f"def outer_{number}(name_{number}):\n" + textwrap.indent(part, "    ")
        lines += [keep.format(k=number), part]
    text = "\n".join([*lines, keep.format(k="last")])
    if rng.random() < 0.3:
        text = re.sub(r"(?m)^(?: {4})+", lambda m: "\t" * (len(m[0]) // 4), text)
    if rng.random() < 0.8:
        text += "\n"
    if rng.random() < 0.3:
        text = text.replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if rng.random() < 0.15 else b"") + text.encode()


def kept(data: bytes) -> list[bytes]:
    return [
        line
        for line in data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
        if "keep " in line.decode()
    ]


def parses(path: str, data: bytes) -> bool:
    if path.endswith(".py"):
        ast.parse(data)
    elif path.endswith(".json"):
        json.loads(data)
    elif path.endswith(".js") and (node := shutil.which("node")):
        return not subprocess.run(
            [node, "--check", "-"], input=data, capture_output=True, check=False
        ).returncode
    return True


@pytest.mark.parametrize("seed", share(ROUNDS, seed=11))
def test_a_fix_settles_and_touches_nothing_else(seed: int, tmp_path: Path) -> None:
    before = {
        f"src/{ending}{number}.{ending}": made(100 * seed + number, ending)
        for ending in WORDS
        for number in range(6 if ending == "py" else 2)
    }
    for path, data in before.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    wish = Wish(tmp_path)
    mended = mend(examine(wish), wish, unsafe=True)
    assert mended.files
    for path, (was, after) in mended.files.items():
        assert was == before[path]
        assert parses(path, after), path
        last_was, last_is = kept(was)[-1], kept(after)[-1]
        assert kept(after)[:-1] == kept(was)[:-1], path
        assert last_is.rstrip(b"\r\n") == last_was.rstrip(b"\r\n"), path
        ends = {line[-2:] == b"\r\n" for line in was.splitlines(keepends=True) if line.endswith(b"\n")}
        now = {line[-2:] == b"\r\n" for line in after.splitlines(keepends=True) if line.endswith(b"\n")}
        assert len(ends) > 1 or now <= ends or not ends, path
        (tmp_path / path).write_bytes(after)
    assert not mend(examine(wish), wish, unsafe=True).files
