"""Names of Python libraries that are dangerous by themselves or with some arguments; ruff finds their uses.

ruff knows what a name means through imports and aliases (TID251); what the call is given is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

RULE = "TID251"
_CALL_CHARS = 600


@dataclass(frozen=True, slots=True)
class Audited:
    """A name, and when its use is a mistake."""

    name: str
    check: str
    message: str
    only: re.Pattern[str] | None = None
    """The call must match."""
    unless: re.Pattern[str] | None = None
    """The call must not match."""
    whole: re.Pattern[str] | None = None
    """The file must not match."""
    near: re.Pattern[str] | None = None
    """A line close before must match, or the call itself."""
    call: bool = True
    """Whether it is called; else any mention counts."""


def _rows() -> Iterator[Audited]:
    objects = "what is loaded can run code"
    for name in ("yaml.unsafe_load", "yaml.unsafe_load_all", "joblib.load", "sklearn.externals.joblib.load"):
        yield Audited(name, "SEC09", objects)
    for name in ("cloudpickle.load", "cloudpickle.loads"):
        yield Audited(name, "SEC09", objects)
    for name in ("_pickle.load", "_pickle.loads", "cPickle.load", "cPickle.loads"):
        yield Audited(name, "SEC09", objects)
    yield Audited("yaml.load_all", "SEC09", objects, unless=re.compile("SafeLoader|BaseLoader"))
    yield Audited("torch.load", "SEC09", objects, unless=re.compile(r"weights_only\s*=\s*True"))
    yield Audited("numpy.load", "SEC09", objects, only=re.compile(r"allow_pickle\s*=\s*True"))
    yield Audited("ruamel.yaml.YAML", "SEC09", objects, only=re.compile(r"""typ\s*=\s*\[?["']unsafe"""))
    constant = re.compile(r"""^[\w.]+\(\s*(?:"[^"]*"|'[^']*')\s*[,)]""")
    for name in ("asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell"):
        yield Audited(name, "SEC07", "the command goes through a shell", unless=constant)
    entities = re.compile(r"(?:resolve_entities|load_dtd|huge_tree)\s*=\s*True|no_network\s*=\s*False")
    yield Audited("lxml.etree.XMLParser", "SEC11", "the parser resolves entities", only=entities)
    for name in ("PROTOCOL_TLSv1", "PROTOCOL_TLSv1_1", "PROTOCOL_SSLv2", "PROTOCOL_SSLv3"):
        yield Audited(f"ssl.{name}", "SEC21", "an old version of TLS", call=False)
    for name in ("TLSv1", "TLSv1_1", "SSLv3"):
        yield Audited(f"ssl.TLSVersion.{name}", "SEC21", "an old version of TLS", call=False)
    for name in ("Crypto", "Cryptodome"):
        yield Audited(f"{name}.Cipher.ARC4.new", "SEC21", "RC4 is broken")
        yield Audited(f"{name}.Cipher.DES3.new", "SEC21", "triple DES is too slow and too weak")
        yield Audited(f"{name}.Cipher.AES.MODE_ECB", "SEC21", "ECB shows which blocks are equal", call=False)
    debug = re.compile(r"\bdebug\s*=\s*True")
    for name in ("fastapi.FastAPI", "starlette.applications.Starlette", "litestar.Litestar"):
        yield Audited(name, "SEC15", "the debugger is on", only=debug)
    debugger = re.compile(r"use_debugger\s*=\s*True")
    yield Audited("werkzeug.serving.run_simple", "SEC15", "the debugger is on", only=debugger)
    everybody = re.compile(r"0o?[0-7]{0,2}[2367]\s*[,)]")
    for name in ("os.makedirs", "os.mkdir"):
        yield Audited(name, "SEC18", "everybody may write in the folder", only=everybody)
    yield Audited(
        "os.umask", "SEC18", "everybody may write what is made", only=re.compile(r"\(\s*0(?:o0+)?\s*\)")
    )
    yield Audited("shutil.unpack_archive", "SEC19", "the names in the archive are not checked",
                  unless=re.compile(r"filter\s*="))  # fmt: skip
    plain = re.compile(r"starttls")
    yield Audited("smtplib.SMTP", "SEC22", "the password is sent in the clear", whole=plain)
    for name in ("get_unverified_claims", "get_unverified_claim"):
        yield Audited(f"jose.jwt.{name}", "SEC23", "the token's signature is not checked")
    secret = re.compile(r"(?i)token|secret|passw|session|otp\b|nonce|api_?key|csrf|salt")
    yield Audited("random.sample", "SEC10", "can be foreseen", near=secret)
    known = re.compile(r"known_hosts\s*=\s*None")
    yield Audited("asyncssh.connect", "SEC28", "any host is trusted", only=known)
    limit = re.compile(r"timeout\s*=|\([^,()]*,[^,()]*,[^,()]+[,)]|\*\*")
    yield Audited("urllib.request.urlopen", "SEC13", "waits for ever", unless=limit)


AUDITED = tuple(_rows())


def banned(checks: frozenset[str]) -> dict[str, dict[str, str]]:
    """ruff's table of banned names for these checks; each message is the row's number."""
    return {row.name: {"msg": str(n)} for n, row in enumerate(AUDITED) if row.check in checks}


def row_of(message: str) -> Audited | None:
    """The row that a finding of ruff's is about."""
    number = message.rpartition(": ")[2]
    return AUDITED[int(number)] if number.isdigit() and int(number) < len(AUDITED) else None


def mistakes(row: Audited, lines: list[str], line: int, column: int) -> Iterator[int]:
    """The lines, from 1, on which the name is misused; `line` and `column` are where ruff saw it."""
    if row.whole and (any(map(row.whole.search, lines)) or not any(".login(" in text for text in lines)):
        return
    if row.near and not any(map(row.near.search, lines[max(0, line - 5) : line])):
        return
    rest = "\n".join([lines[line - 1][column - 1 :], *lines[line : line + 12]])[:_CALL_CHARS]
    short = row.name.rpartition(".")[2]
    imported = re.match(rf"{re.escape(short)}\b(?:\s+as\s+(\w+))?(?!\s*[.(])", rest)
    if not imported:
        if _is_mistake(row, rest):
            yield line
        return
    # `from x import y`: ruff tells the import only.
    called = r"(?=\()" if row.call else ""
    use = re.compile(rf"(?<![\w.]){re.escape(imported[1] or short)}\b{called}")
    for number, text in enumerate(lines, 1):
        found = use.search(text) if not text.lstrip().startswith(("#", "from ", "import ")) else None
        if found and number != line:
            after = "\n".join([text[found.start() :], *lines[number : number + 12]])[:_CALL_CHARS]
            if _is_mistake(row, after):
                yield number


def _is_mistake(row: Audited, rest: str) -> bool:
    if not row.call:
        return re.match(r"[\w.]+\s*(?::|[=!<>]=|\bin\b)", rest) is None
    opening = re.match(r"[\w.\s]+\(", rest)
    if opening is None:
        return row.only is None and row.unless is None
    call = rest[: _closing(rest, opening.end())]
    return (row.only is None or row.only.search(call) is not None) and (
        row.unless is None or row.unless.search(call) is None
    )


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that was opened before `start` is closed."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return len(text)
