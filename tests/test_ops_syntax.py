"""The parser, from several threads."""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from mybro.ops.syntax import parse

pytestmark = pytest.mark.unit


def test_threads_that_parse_at_once_do_not_disturb_each_other() -> None:
    source = "\n".join(
        f"def f{n}(a):\n    return [x for x in (a, {n}) if x > -({n} + 1)]" for n in range(150)
    )
    wanted = ast.dump(ast.parse(source))
    interval, limits = sys.getswitchinterval(), gc.get_threshold()

    def collecting(phase: str, info: dict[str, int]) -> None:
        sum(
            range(50)
        )  # while code of Python's runs, the threads can take turns within the building of a tree

    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    gc.callbacks.append(collecting)
    try:
        with ThreadPoolExecutor(4) as pool:
            trees = list(pool.map(lambda _: ast.dump(parse(source)), range(48)))
    finally:
        gc.callbacks.remove(collecting)
        sys.setswitchinterval(interval)
        gc.set_threshold(*limits)
    assert set(trees) == {wanted}


def test_what_is_no_python_is_told_and_a_warning_is_not() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse('x = "\\d"').body
    with pytest.raises(SyntaxError) as raised:
        parse(b"def f(:\n", "a.py")
    assert raised.value.filename == "a.py"
