"""Text made fit for a voice: what reads well on screen is rarely what sounds well.

The result holds no control characters, no markup and no brackets, so that it cannot be taken for a
synthesizer's embedded command, and it never begins with a dash.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORDS = 60
_LONGEST_INPUT = 4_000
"""Characters; the cleaning below is for sentences, not for log files."""
_LIST_ITEMS = 4
_SENTENCE_CHARACTERS = 220

_EXTENSIONS = {
    "cfg": "config", "flac": "flac", "go": "go", "ini": "ini", "ipynb": "notebook", "java": "java",
    "json": "jason", "lock": "lock", "log": "log", "metal": "metal", "py": "py", "swift": "swift",
    "toml": "toml", "txt": "text", "wav": "wav", "yaml": "yaml", "yml": "yaml",
}  # fmt: skip
_SPELLED = (
    "c", "cc", "cpp", "cs", "css", "csv", "h", "hpp", "html", "js", "jsx", "kt", "md", "mjs", "png", "pyi",
    "rb", "rs", "rst", "sh", "sql", "svg", "ts", "tsx", "xml",
)  # fmt: skip
_EXTENSIONS |= {name: " ".join(name) for name in _SPELLED}
"""File extensions, as people say them."""

_UNITS = {
    "%": "percent", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours",
    "us": "microseconds",
    "B": "bytes", "kB": "kilobytes", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes",
    "TB": "terabytes", "KiB": "kibibytes", "MiB": "mebibytes", "GiB": "gibibytes", "Hz": "hertz",
    "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibels", "x": "times",
}  # fmt: skip

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_FENCE = re.compile(r"(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:www\.)?([\w.-]*\w)(?:\S*[\w/])?", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
_MARKUP = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|\|[\s:|-]*$|[-=_*]{3,}\s*$)")
_UUID = re.compile(r"\b([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_HASH = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])([0-9a-f]{4})[0-9a-f]{3,60}\b")
_PATH = re.compile(
    r"(?<![\w.@+/-])(?:~|\.{1,2})?/?(?:[\w.@+-]+/)+(?:[\w.@+-]*[\w@+-])?(?::\d+)*|(?<![\w.@+/-])/[\w.@+-]*\w"
)
_FILE = re.compile(r"(?<![\w.])(\.?[\w-]+(?:\.[\w-]+)*)\.([A-Za-z]{1,5})(?![\w(])(?::(\d+))?(?::\d+)?")
_WORD = re.compile(r"[^\W\d]\w*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_VERSION = re.compile(r"\bv(\d+(?:\.\d+)+)\b|\b(\d+\.\d+(?:\.\d+)+)\b")
_QUANTITY = re.compile(
    r"(?<![\d,.])(\d{1,9}(?:,\d{3})*(?:\.\d+)?)\s?("
    + "|".join(sorted(_UNITS, key=len, reverse=True))
    + r")(?!\w)"
)
_MONEY = re.compile(r"[$€£](\d+)(?:\.(\d{2})\d*)?\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_ITEMS = re.compile(rf"(?<![^,.;:!?])[^,.;:!?]+(?:,[^,.;:!?]+){{{_LIST_ITEMS},}}")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=\S)")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|mr|mrs|dr|no|approx)\.$", re.IGNORECASE)

_SYMBOLS = (
    (re.compile(r"\be\.\s?g\.", re.IGNORECASE), "for example"),
    (re.compile(r"\bi\.\s?e\.", re.IGNORECASE), "that is"),
    (re.compile(r"(?<![\w.])\.(?=[A-Za-z])"), "dot "),
    (re.compile(r"(?<=[A-Za-z_])\.(?=[A-Za-z_])"), " dot "),
    (re.compile(r"\s*(?:->|=>|→|⇒)\s*"), " to "),
    (re.compile(r"\s*!==?\s*"), " is not "),
    (re.compile(r"\s*={2,3}\s*|\s=\s"), " equals "),
    (re.compile(r"\s*>=\s*"), " at least "),
    (re.compile(r"\s*<=\s*"), " at most "),
    (re.compile(r"\s+&{1,2}\s+"), " and "),
    (re.compile(r"(?<!\w)#(?=\d)"), "number "),
    (re.compile(r"(?<!\w)~(?=\d)"), "about "),
    (re.compile(r"(?<!\w)[+](?=\d)"), "plus "),
    (re.compile(r"(?<!\w)[-−](?=\d)"), "minus "),
    (re.compile(r"(?<=\d)\s?[–-]\s?(?=\d)"), " to "),
    (re.compile(r"(?<=\d)/(?=\d)"), " of "),
    (re.compile(r"(?<!\w)--?(?=\w)"), ""),
    (re.compile(r"\(\)|::|[/\\|_]"), " "),
    (re.compile(r"\s[–—-]+\s|—"), ", "),
    (re.compile(r"[()]\s*"), ", "),
    (re.compile(r"[`*^~<>\[\]{}\"“”„«»#=@&+$€£]"), " "),
)


def speakable(text: str, longest_words: int = LONGEST_WORDS) -> str:
    """The text as words to speak, on one line; empty where nothing of it can be spoken.

    At most `longest_words` words: what is beyond is left to the screen, and that is said.
    """
    text = _lines(_FENCE.sub(" ", _ANSI.sub("", text[:_LONGEST_INPUT])))
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda match: f"a link to {match[1]}", text)
    text = _UUID.sub(_spelled, text)
    text = _HASH.sub(_spelled, text)
    text = _MONEY.sub(_money, text)
    text = _QUANTITY.sub(_quantity, text)
    text = _THOUSANDS.sub("", text)
    text = _PATH.sub(_path, text)
    text = _FILE.sub(_file, text)
    text = _VERSION.sub(lambda match: (match[1] or match[2]).replace(".", " point "), text)
    for pattern, spoken in _SYMBOLS:
        text = pattern.sub(spoken, text)
    text = _WORD.sub(_identifier, text)
    text = _ITEMS.sub(_shorter_list, text)
    return _shorter(_tidy(text), longest_words)


def sentences(text: str) -> list[str]:
    """Cleaned text in pieces that a voice can begin with early; long ones are cut at a comma."""
    pieces: list[str] = []
    for part in _SENTENCE_END.split(text):
        if pieces and (_ABBREVIATION.search(pieces[-1]) or len(pieces[-1]) < 8):
            pieces[-1] += " " + part
        elif part.strip():
            pieces.append(part.strip())
    return [short for piece in pieces for short in _cut(piece)]


def _lines(text: str) -> str:
    """Lines joined to sentences, bullets counted, what only a screen can show left out."""
    bullets, joined = 0, list[str]()
    for raw in text.splitlines():
        if not raw.strip() or _MARKUP.fullmatch(raw):
            continue
        line = _MARKUP.sub("", raw).strip().strip("|").strip()
        if _BULLET.match(line):
            bullets += 1
            if bullets > _LIST_ITEMS - 1:
                continue
            line = _BULLET.sub("", line)
        if line:
            joined.append(line if line[-1] in ".!?…:,;" else line + ".")
    if bullets > _LIST_ITEMS - 1:
        joined.append(f"And {bullets - _LIST_ITEMS + 1} more.")
    return " ".join(joined)


def _spelled(match: re.Match[str]) -> str:
    return " ".join(match[1])


def _money(match: re.Match[str]) -> str:
    one, many, cent = {"$": ("dollar", "dollars", "cent"), "€": ("euro", "euros", "cent"),
                       "£": ("pound", "pounds", "penny")}[match[0][0]]  # fmt: skip
    whole, small = int(match[1]), int(match[2] or 0)
    cents = "pence" if cent == "penny" else "cents"
    parts = [f"{whole} {one if whole == 1 else many}"] if whole or not small else []
    parts += [f"{small} {cent if small == 1 else cents}"] if small else []
    return " ".join(parts)


def _quantity(match: re.Match[str]) -> str:
    unit = _UNITS[match[2]]
    return f"{match[1]} {unit.removesuffix('s') if match[1] == '1' else unit}"


def _path(match: re.Match[str]) -> str:
    """A path's last part. What only looks like a path ("yes/no", "origin/main") is left to the symbols."""
    path = match[0]
    name, _, line = path.partition(":")
    parts = [part for part in name.split("/") if part not in ("", ".", "..", "~")]
    if not parts:
        return " "
    is_path = name[0] in "/~." or name.endswith("/") or len(parts) > 2 or "." in parts[-1]
    if not is_path or all(part.isdigit() for part in parts):
        return path
    return parts[-1] + (":" + line if line else "")


def _file(match: re.Match[str]) -> str:
    extension = _EXTENSIONS.get(match[2].lower())
    if extension is None:
        return match[0]
    name = match[1].replace(".", " dot ").replace("-", " ").strip()
    return f"{name} dot {extension}" + (f" line {match[3]}" if match[3] else "")


def _identifier(match: re.Match[str]) -> str:
    word = match[0]
    return _CAMEL.sub(" ", word) if not word.isupper() and not word.islower() else word


def _shorter_list(match: re.Match[str]) -> str:
    items = match[0].split(",")
    return ",".join(items[: _LIST_ITEMS - 1]) + f" and {len(items) - _LIST_ITEMS + 1} more"


def _tidy(text: str) -> str:
    text = "".join(c if unicodedata.category(c)[0] in "LNMP" else " " for c in text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.;:!?…])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    text = re.sub(r"[,;:]+\s*([.!?…])", r"\1", text)
    text = re.sub(r"([.!?…])(?:\s*[.,;:])+", r"\1", text)
    return re.sub(r"^[\W_]+", "", text).rstrip(" ,;:-–—")


def _shorter(text: str, longest_words: int) -> str:
    words = text.split()
    if len(words) <= longest_words:
        return text
    cut = " ".join(words[:longest_words])
    end = max(cut.rfind(mark) for mark in ".!?")
    whole = cut[: end + 1] if end > len(cut) // 3 else cut.rstrip(",;:") + "."
    return f"{whole} The rest is on the screen."


def _cut(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > _SENTENCE_CHARACTERS:
        at = max(sentence.rfind(mark, 40, _SENTENCE_CHARACTERS) for mark in (", ", "; ", ": "))
        if at < 0:
            at = sentence.rfind(" ", 1, _SENTENCE_CHARACTERS)
        if at < 0:
            at = _SENTENCE_CHARACTERS - 1
        pieces.append(sentence[: at + 1].strip())
        sentence = sentence[at + 1 :].strip()
    return [*pieces, sentence] if sentence else pieces
