"""Dictated code, from what is said to what is written."""

from __future__ import annotations

import pytest

from mybro.transcribe.dictation import code, written
from mybro.transcribe.numbers import read_number

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("spoken", "meant"),
    [
        ("snake case user id equals open bracket", "user_id = ["),
        ("deaf camel case get user open paren self comma name close paren colon", "def getUser(self, name):"),
        ("x equals x plus to", "x = x + 2"),
        ("for i in range open paren ten close paren colon new line tab key print open paren i close paren",
         "for i in range(10):\n\tprint(i)"),
        ("if x less than or equal to zero point five colon", "if x <= 0.5:"),
        ("literal comma comma literal equals", "comma, equals"),
        ("return three thousand two hundred and five", "return 3205"),
        ("import numpy as np", "import numpy as np"),
        ("git commit dash m quote fix login quote", 'git commit -m "fix login"'),
        ("self dot name equals none", "self.name = None"),
        ("a arrow b", "a -> b"),
        ("items open bracket zero close bracket", "items[0]"),
        ("return open bracket one comma two close bracket", "return [1, 2]"),
        ("path slash to slash file", "path/to/file"),
        ("s as in sierra q as in quebec l as in lima equals one", "sql = 1"),
        ("spell a b c equals true", "abc = true"),
        ("constant case max retries equals three", "MAX_RETRIES = 3"),
        ("class pascal case user account colon", "class UserAccount:"),
        ("kebab case main header", "main-header"),
        ("upper snake case time out seconds", "TIME_OUT_SECONDS"),
        ("std double colon vector", "std::vector"),
        ("x double equals y and and not z", "x == y && not z"),
        ("hash include open angle stdio dot h close angle", "#include <stdio.h>"),
        ("cap Path open paren quote a slash b quote close paren", 'Path("a/b")'),
        ("Snake case user ID, equals, number forty two.", "user_id = 42"),
        ("open brace quote key quote colon single quote value single quote close brace",
        "{\"key\": 'value'}"),
        ("x minus one", "x - 1"), ("semicolon", ";"), ("", ""), ("   ", ""),
        ("port eight zero eight zero", "port 8080"),
        ("wile true colon", "while true:"),
        ("snake case utf eight length", "utf_8_length"),
        ("x equals zero x f f", "x = 0xff"), ("zero b one zero one", "0b101"), ("zero x", "0 x"),
        ("version equals three point eleven point two", "version = 3.11.2"),
        ("v one point two point three", "v1.2.3"), ("x equals one point five e minus three", "x = 1.5e-3"),
        ("x equals minus one", "x = -1"), ("x equals negative one", "x = -1"),
        ("items open bracket minus one close bracket", "items[-1]"), ("return minus x", "return -x"),
        ("main dot pie", "main.py"), ("math dot pi", "math.pi"), ("a pie", "a pie"),
        ("from dot models import pascal case user profile", "from .models import UserProfile"),
        ("git add dot", "git add ."), ("dunder init", "__init__"),
        ("self dot dunder class", "self.__class__"),
        ("def double underscore init double underscore", "def __init__"),
        ("def underscore private", "def _private"), ("self dot underscore name", "self._name"),
        ("f quote hello open brace name close brace quote", 'f"hello {name}"'),
        ("print open paren f quote hi quote close paren", 'print(f"hi")'), ("if quote a quote", 'if "a"'),
        ("def f open paren star args comma star star kwargs close paren colon", "def f(*args, **kwargs):"),
        ("x star y", "x * y"), ("x star star minus one", "x ** -1"),
        ("x equals open paren one comma two close paren", "x = (1, 2)"),
        ("return open paren x close paren", "return (x)"), ("all caps api underscore key", "API_KEY"),
        ("ls dash l a", "ls -la"), ("x dash y", "x-y"), ("git commit dash m a fix", "git commit -m a fix"),
    ],
)  # fmt: skip
def test_dictated_code(spoken: str, meant: str) -> None:
    assert code(spoken) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Dictate snake case user ID equals open bracket.", "Dictate: user_id = ["),
        ("please dictate x equals one", "please dictate: x = 1"),
        ("Type snake case user id equals forty two", "Type: user_id = 42"),
        ("write open paren x close paren", "write: (x)"),
        ("rename it to camel case user id.", "rename it to userId."),
        (
            "Rename parse date to snake case parse time in main.py",
            "Rename parse date to parse_time in main.py",
        ),
        ("call it pascal case user account, please", "call it UserAccount, please"),
        ("run pytest dash dash verbose dash x", "run pytest --verbose -x"),
        ("add the flag dash dash dry dash run", "add the flag --dry-run"),
        ("build it with dash dash no cache", "build it with --no-cache"),
        ("dictate git push dash dash dry run", "dictate: git push --dry-run"),
        ("rename it to s as in sierra, q as in quebec", "rename it to sq"),
    ],
)
def test_what_is_dictated_inside_a_sentence(said: str, meant: str) -> None:
    assert written(said) == meant


@pytest.mark.parametrize(
    "sentence",
    [
        "write a function that parses dates", "type hints are missing", "use camel case for the names",
        "convert all names to snake case", "write a colon separated list", "enter the number in the form",
        "set port to eight thousand", "open the file", "a dash of salt",
        "write a unit test for the dot product",
        "make everything upper case", "run the tests", "type", "dictate", "stop", "write tests, please",
    ],
)  # fmt: skip
def test_other_sentences_stay_as_they_are(sentence: str) -> None:
    assert written(sentence) == sentence


@pytest.mark.parametrize(
    ("words", "digits", "used"),
    [
        ("forty two things", "42", 2), ("zero", "0", 1), ("one hundred twenty three", "123", 4),
        ("three thousand", "3000", 2), ("two million five hundred thousand", "2500000", 5), ("nineteen", "19",
        1),
        ("zero point five", "0.5", 3), ("three point one four x", "3.14", 4), ("eight zero eight zero",
        "8080", 4),
        ("ten eleven", "10", 1), ("hundred", "", 0), ("point five", "", 0), ("", "", 0), ("forty ten", "40",
        1),
        ("one hundred and one", "101", 4), ("five and six", "5", 1), ("three point eleven", "3.11", 3),
        ("one point two point three", "1.2.3", 5), ("three point", "3", 1), ("zero x f f g", "0xff", 4),
        ("zero b two", "0", 1), ("five e three", "5e3", 3), ("five e", "5", 1), ("two e minus x", "2", 1),
    ],
)  # fmt: skip
def test_numbers(words: str, digits: str, used: int) -> None:
    assert read_number(words.split()) == (digits, used)
