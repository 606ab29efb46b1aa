"""Where a visitor's text must not arrive unchecked, and what counts as a check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sink:
    """A kind of call."""

    check: str
    name: re.Pattern[str]
    """Matches the called name as written."""
    message: str
    places: tuple[int, ...] | None = (0,)
    """Which positional arguments; None: all."""
    keywords: tuple[str, ...] = ()
    receiver: bool = False
    """Whether the object that is called on counts too."""
    unless: re.Pattern[str] | None = None
    """Matches calls that are harmless as written."""
    text_only: bool = False
    """Whether a list or tuple of values is harmless."""


ATTRIBUTES = frozenset(
    {
        "args",
        "form",
        "values",
        "files",
        "cookies",
        "headers",
        "json",
        "data",
        "query_params",
        "path_params",
        "GET",
        "POST",
        "COOKIES",
        "FILES",
        "META",
        "body",
        "query",
        "params",
        "query_string",
        "get_json",
        "get_data",
        "match_info",
        "rel_url",
        "path",
        "full_path",
        "url",
        "referrer",
        "view_args",
        "match",
        "stream",
        "forms",
        "text",
    }
)

SAFE_CALLS = re.compile(
    r"(?:^|\.)(?:int|float|bool|len|secure_filename|basename|escape\w*|quote|quote_plus|shlex\.quote|UUID|Decimal|hash|"
    r"sha\d+|sha3_\d+|md5|hexdigest|isdigit|isalnum|isinstance|bleach\.clean|clean|sanitize\w*|validate\w*|"
    r"url_has_allowed_host_and_scheme|is_safe_url|safe_join|safe_str_cmp|compare_digest|filter_format|escape_filter_chars|"
    r"index|count|find|startswith|endswith|type|id|fromisoformat|strptime|mogrify|date|enum|jsonify|dumps|url_for|urlencode|include_query_params|replace_query_params)$"
)


TEXT_CALLS = re.compile(
    r"(?:^|\.)(?:str|repr|format|join|strip|lstrip|rstrip|replace|lower|upper|split|rsplit|partition|encode|decode|get|"
    r"getlist|pop|unquote|unquote_plus|b64decode|urlsafe_b64decode|loads|Path|PurePath|path\.join|abspath|realpath|normpath|"
    r"expanduser|resolve|joinpath|list|tuple|dict|set|sorted|bytes|removeprefix|removesuffix|title|capitalize|zfill|"
    r"urljoin|text|open|read|readline|fromhex|copy|items|values|keys|getvalue|parse_qs|parse_qsl|urlparse)$"
)
"""Calls that only change how a text is written or held."""


def _sink(check: str, name: str, message: str, **how: object) -> Sink:
    return Sink(check, re.compile(name), message, **how)  # type: ignore[arg-type]


SINKS = (
    _sink(
        "SEC07",
        r"^(?:os\.(?:system|popen)|subprocess\.(?:getoutput|getstatusoutput)|commands\.getoutput|popen2?)$",
        "a visitor's text becomes part of a command",
    ),
    _sink(
        "SEC07",
        r"^(?:subprocess\.(?:run|call|check_call|check_output|Popen)|Popen|check_output|check_call)$",
        "a visitor's text becomes part of a command",
        keywords=("args",),
    ),
    _sink(
        "SEC07",
        r"^(?:os\.(?:exec\w+|spawn\w+|posix_spawn\w*)|asyncio\.create_subprocess_shell)$",
        "a visitor's text becomes part of a command",
        places=None,
    ),
    _sink("SEC06", r"^(?:eval|exec|compile|builtins\.(?:eval|exec))$", "a visitor's text is run as code"),
    _sink(
        "SEC08",
        r"(?i)(?:^|\.)(?:execute|executemany|executescript|raw|read_sql\w*|from_statement)$",
        "a visitor's text becomes part of a statement",
        keywords=("query", "sql", "statement"),
        text_only=True,
    ),
    _sink(
        "SEC08",
        r"(?:^|\.)text$",
        "a visitor's text becomes part of a statement",
        unless=re.compile(r"^(?!text\(|sqlalchemy\.text\(|sa\.text\(|db\.text\()"),
    ),
    _sink(
        "SEC09",
        r"^(?:c?[pP]ickle|dill|marshal|shelve|jsonpickle|joblib|cloudpickle)\.(?:loads?|open|decode|Unpickler)$|^yaml\.(?:load|"
        r"unsafe_load|full_load|load_all)$|^(?:helperkls\.)?pickle_loads$",
        "a visitor's data is loaded as objects",
        unless=re.compile(r"SafeLoader"),
    ),
    _sink(
        "SEC25",
        r"(?i)(?:^|\.)(?:xpath|XPath|findall|iterfind|find_all_by_xpath|evaluate|select_xpath)$|(?:tree|root|doc|etree|xml\w*)\.find$",
        "a visitor's text becomes part of an XPath query",
    ),
    _sink(
        "SEC25",
        r"(?i)(?:ldap\w*|conn\w*|connection|l|server|ld)\.(?:search\w*|search_ext_s|simple_bind\w*|paged_search)$",
        "a visitor's text becomes part of an LDAP query",
        places=None,
        keywords=("search_filter", "filterstr", "search_base", "base"),
    ),
    _sink(
        "SEC24",
        r"^(?:open|io\.open|codecs\.open|os\.open|aiofiles\.open|builtins\.open|gzip\.open|tarfile\.open|zipfile\.ZipFile|ZipFile)$",
        "a visitor chooses which file is opened",
        keywords=("file", "path", "name"),
    ),
    _sink(
        "SEC24",
        r"^(?:os\.(?:remove|unlink|rmdir|listdir|scandir|rename|mkdir|makedirs|stat|chmod)|shutil\.(?:rmtree|copy\w*|move)|"
        r"(?:flask\.)?send_file|FileResponse|(?:[\w.]+\.)?save|os\.path\.(?:exists|isfile|getsize))$",
        "a visitor chooses which file is used",
        places=(0, 1),
        keywords=("path", "path_or_file", "filename"),
    ),
    _sink(
        "SEC24",
        r"\.(?:read_text|read_bytes|write_text|write_bytes|unlink|open|exists|iterdir|is_file)$",
        "a visitor chooses which file is used",
        places=(),
        receiver=True,
        unless=re.compile(r"^(?!.*(?:[Pp]ath|/|file|dir))"),
    ),
    _sink(
        "SEC26",
        r"^(?:requests|httpx|session|client|aiohttp|http|s)\.(?:get|post|put|delete|patch|head|request|options|stream)$|"
        r"^(?:urllib\.request\.)?(?:urlopen|urlretrieve|Request)$|^urllib3?\.\w+$",
        "a visitor chooses which address is called",
        places=(0, 1),
        keywords=("url",),
    ),
    _sink(
        "SEC26",
        r"^(?:flask\.)?(?:redirect|HttpResponseRedirect|RedirectResponse|HTTPFound|web\.HTTPFound)$|^self\.redirect$",
        "a visitor chooses where the page leads",
        keywords=("url", "location"),
    ),
    _sink(
        "SEC20",
        r"^(?:flask\.)?(?:render_template_string|Template|jinja2\.Template|Environment\(.*\)\.from_string|env\.from_string)$",
        "a visitor's text is a template",
        keywords=("source",),
    ),
    _sink(
        "SEC20",
        r"^(?:\w+\.)?(?:Markup|mark_safe|HTMLResponse|HttpResponse)$",
        "a visitor's text is sent as HTML",
        keywords=("content",),
        unless=re.compile(r"content_type|media_type|headers=|text/plain|application/json"),
    ),
)

SINK_WORDS = (
    b"open(",
    b"execute",
    b"system(",
    b"subprocess",
    b"popen",
    b"eval(",
    b"exec(",
    b"redirect",
    b"loads(",
    b".search",
    b"xpath",
    b"render_template_string",
    b"requests.",
    b"httpx.",
    b"urlopen",
    b"send_file",
    b"os.",
    b"Path(",
    b"Markup(",
    b"mark_safe",
    b"HttpResponse",
    b"find(",
    b"set_cookie",
    b"make_response",
    b"return ",
)
FILLS = frozenset(
    {"append", "add", "insert", "extend", "update", "appendleft", "set", "setdefault", "put", "write"}
)
"""Methods that put their argument into what they are called on."""

ANCHOR = re.compile(r"[?#]|^(?:https?:)?//[^/\\]+/|^/[^/\\]")
"""What in front of a visitor's text means that he chooses neither host nor scheme."""


def parts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of a text that is put together, from the left."""
    match node:
        case ast.JoinedStr(values=values):
            for value in values:
                yield value.value if isinstance(value, ast.FormattedValue) else value
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from parts(left)
            yield from parts(right)
        case _:
            yield node


_INTERPRETERS = re.compile(
    r"(?:^|/)(?:ba|z|da|k|fi)?sh$|^(?:cmd|powershell|pwsh|env|sudo|xargs|ssh|python[\d.]*|node|perl|ruby|php)"
)


def is_plain_program(call: ast.Call) -> bool:
    """Whether it begins a fixed program that takes its arguments as they are and runs none of them."""
    listed = call.args[0] if call.args else None
    first = listed.elts[0] if isinstance(listed, ast.List | ast.Tuple) and listed.elts else None
    shell = any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in call.keywords)
    return isinstance(first, ast.Constant) and not shell and not _INTERPRETERS.search(str(first.value))


ANY_SINK = re.compile(
    "|".join(
        f"(?{'i' if sink.name.flags & re.IGNORECASE else ''}:{sink.name.pattern.removeprefix('(?i)')})"
        for sink in SINKS
    )
)
"""Matches what one of the sinks' names matches."""
