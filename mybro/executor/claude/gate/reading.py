"""Programs that only read, and the options with which they would do more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from mybro.executor.claude.gate import scripts
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import words as word_lists

CODE = word_lists("effects")["CODE"]
"""Endings of files that are written by hand."""


def given(word: str, options: Iterable[str]) -> bool:
    """Whether a word is one of the options: abbreviated, in a cluster, or with its value."""
    name = word.partition("=")[0]
    for option in options:
        if option.startswith("--"):
            if len(name) > 3 and option.startswith(name) and name.startswith("--"):
                return True
        elif (
            len(option) == 2
            and re.match(rf"-[A-Za-z0-9]*{re.escape(option[1])}", name)
            and not name.startswith("--")
        ) or name == option:
            return True
    return False


def reader(*forbidden: str, free: bool = False, skip: int = 0, most: int = 99, names: bool = False) -> Rule:
    """A rule for a program that reads: not with these options, and only in the work tree.

    `free`: its words are no places. `skip`: that many words come first that are none. `most`: no more words.
    `names`: it shows names, sizes and times, and nothing of what files hold.
    """

    def rule(command: Command, place: Place) -> Reach | None:
        words = command.words[1:]
        options = [word.text or "" for word in words if is_option(word)]
        plain = [word for word in words if not is_option(word)]
        if any(given(option, forbidden) for option in options) or len(plain) > most:
            return None
        if free:
            return Reach.READS
        if command.words[0].text == "cut" and [w.text for w in words[:2]] == ["-d", "/"]:
            plain = plain[1:]
        if forbidden and any(word.values is None and not word.local for word in words):
            return None
        fine = all(place.reads(word, content=not names) for word in plain[skip:]) and values_fine(
            options, place
        )
        return Reach.READS if fine else None

    return rule


def is_option(word: Word) -> bool:
    """Whether it is an option for certain."""
    return (word.text or "").startswith("-") and word.text != "-"


def values_fine(options: Sequence[str], place: Place) -> bool:
    for option in options:
        value = option.partition("=")[2] if option.startswith("--") else option[2:]
        told = option.startswith("--") or len(value) > 1
        if told and re.match(r"[~/]|\.\.", value) and not place.reads(Word((value,))):
            return False
    return True


def _awk(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    while words and is_option(words[0]):
        text = words[0].text or ""
        if not re.match(r"-[Fv]", text):
            return None
        words = words[2 if len(text) == 2 else 1 :]
    if not words or words[0].text is None or not scripts.awk_only_prints(words[0].text):
        return None
    return Reach.READS if all(place.reads(word) for word in words[1:]) else None


def _sed(command: Command, place: Place) -> Reach | None:
    programs: list[str | None] = []
    plain: list[Word] = []
    inplace = False
    words = command.words[1:]
    at = 0
    while at < len(words):
        text = words[at].text
        if text in ("-e", "--expression"):
            at += 1
            programs.append(words[at].text if at < len(words) else None)
        elif text is not None and re.fullmatch(r"-[nErsuz]+|--(quiet|silent|regexp-extended|posix)", text):
            pass
        elif text in ("-i", "--in-place", "-Ei", "-i.bak"):
            inplace = True
            if words[at + 1 : at + 2] and words[at + 1].text == "":
                at += 1  # macOS: the suffix of a copy, here none
        elif is_option(words[at]):
            return None
        else:
            plain.append(words[at])
        at += 1
    if not programs:
        programs, plain = [plain[0].text] if plain else [None], plain[1:]
    by_hand = all(PurePath(word.text or "").suffix.lstrip(".") in CODE or word.text == "." for word in plain)
    judged = (
        (scripts.sed_edits if by_hand else scripts.sed_only_replaces) if inplace else scripts.sed_only_prints
    )
    if not all(
        program is not None and (judged(program) or (inplace and scripts.sed_only_replaces(program)))
        for program in programs
    ):
        return None
    if inplace:
        if not all(
            _EDITED.fullmatch(PurePath(value).name)
            or PurePath(value).suffix[1:] in CODE
            or "*" in value
            or value == "."
            for word in plain
            for value in word.values or ("?",)
        ):
            return None
        for word in plain:
            place.puts(word, "\n".join(map(str, programs)))
        return Reach.WRITES if plain and all(map(place.edits, plain)) else None
    return Reach.READS if all(place.reads(word) for word in plain) else None


_EDITED = re.compile(
    r"(requirements|constraints)[\w-]*\.(txt|in)|CMakeLists\.txt|(README|CHANGELOG|LICENSE|NOTICE|VERSION|AUTHORS|TODO)(\.\w+)?|\.\w+ignore|\.editorconfig"
    r"|(Docker|Make|Just|Rake|Gem|Pod|Proc)file\S*|\.env\.example|\.[\w.]*rc|go\.mod|\.\w+-version"
)
"""Files without such an ending that are written by hand."""


def _perl(command: Command, place: Place) -> Reach | None:
    """perl as sed: `-pi -e 's/a/b/'` for files that are written by hand, `-ne 'print if /x/'`."""
    texts = [word.text or "\0" for word in command.words[1:]]
    told = re.match(r"(-pi -e|-i -pe|-p -i -e|-pie|-ne|-pe|-lne|-0?777 -pi -e|-0pi -e) ", " ".join(texts))
    if told is None:
        return None
    at = len(told[1].split())
    program, places = texts[at], command.words[2 + at :]
    if "i" in told[1]:
        fine = scripts.perl_edits(program) and all(
            PurePath(word.text or "").suffix.lstrip(".") in CODE or word.text == "." for word in places
        )
        for word in places:
            place.puts(word)
        return Reach.WRITES if fine and places and all(map(place.edits, places)) else None
    shows = re.fullmatch(
        r"print( \"?\$[\d&](\\n)?\"?)?( if| unless) /(?:[^/\\({@$]|\\.|\((?!\?\??\{)|\$(?=[/)]))*/i?", program
    )
    return (
        Reach.READS
        if (shows or scripts.perl_edits(program)) and all(place.reads(word) for word in places)
        else None
    )


def _test(command: Command, _: Place) -> Reach | None:
    words = [word.text for word in command.words[1:]]
    if any("[" in (word or "") or word == "-v" for word in words):
        return None
    # What is compared as a number is computed: a name stands for its value, and that may run something.
    for at, text in enumerate(words):
        if text in ("-eq", "-ne", "-lt", "-le", "-gt", "-ge"):
            for word in (*command.words[at : at + 1], *command.words[at + 2 : at + 3]):
                if not (word.local if word.values is None else re.fullmatch(r"-?\d+", word.text or "")):
                    return None
    return Reach.READS


def _date(command: Command, _: Place) -> Reach | None:
    ok = all(
        re.match(r"\+|-u$|-I|-R$|--(utc|iso-8601|rfc)|-d$|--date|@?\d{1,4}|[a-z ]+$", w.text or "")
        for w in command.words[1:]
    )
    free = [w.text or "" for w in command.words[1:] if re.fullmatch(r"\d+(\.\d+)?", w.text or "")]
    return Reach.READS if ok and not free else None


def _ps(command: Command, _: Place) -> Reach | None:
    return (
        Reach.READS
        if all(
            re.fullmatch(
                r"-[efAaxuwlp]+|a?ux?|ax|\d+|-o|--sort=[-+\w%,]+|(p?pid|comm|args|command|user)=?|[a-z%]+=?(,[a-z%]+=?)+",
                w.text or "",
            )
            or w.local
            for w in command.words[1:]
        )
        else None
    )


def _printenv(command: Command, _: Place) -> Reach | None:
    texts = [word.text for word in command.words[1:]]
    fine = texts[:1] in (["PATH"], ["SHELL"], ["LANG"], ["USER"], ["HOME"], ["NODE_ENV"], ["VIRTUAL_ENV"])
    return Reach.READS if fine and len(texts) == 1 else None


def _yq(command: Command, place: Place) -> Reach | None:
    told = " ".join(word.text or "env" for word in command.words[1:])
    if re.search(r"env|load|eval|input_filename", told):
        return None
    return reader("-i", "--inplace", "-s", "--split-exp", "--from-file", "--expression", skip=1)(
        command, place
    )


def _jq(command: Command, place: Place) -> Reach | None:
    told = " ".join(" ".join(word.values or ("" if word.local else "env",)) for word in command.words[1:])
    if re.search(r"\benv\b|\$ENV|\$__prog", told):
        return None
    return reader("-f", "--from-file", "--rawfile", "--slurpfile", "-L", skip=1)(command, place)


def _fd(command: Command, place: Place) -> Reach | None:
    """fd, and for what it finds another reader."""
    texts = [word.text for word in command.words]
    at = next(
        (n for n, text in enumerate(texts) if text in ("-x", "-X", "--exec", "--exec-batch")), len(texts)
    )
    if reader("-x", "-X", "--exec", "--exec-batch", skip=1)(Command(command.words[:at]), place) is None:
        return None
    inner = command.words[at + 1 :]
    if at == len(texts):
        return Reach.READS
    named = [
        text
        for text in texts[1:at]
        if re.search(r"env|pem|key|secret|credential|\bid_|-\w*[HIu]", text or "?")
    ]
    rule = (
        RULES.get(inner[0].text or "")
        if inner and not named and inner[0].text not in ("fd", "sed", "perl")
        else None
    )
    told = [Word(None, quoted=True, local=True) if word.text == "{}" else word for word in inner]
    return (
        rule(Command(told), place) if rule is not None and rule(Command(told), place) is Reach.READS else None
    )


_PLAIN = reader()
_FREE = reader(free=True)
_NAMES = ("ls", "stat", "du", "wc", "realpath", "readlink", "eza", "exa")
RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("ls", "cat", "head", "tail", "wc", "nl", "tac", "rev", "fold", "comm", "diff", "cmp", "stat", "du",
         "realpath", "readlink", "od", "hexdump", "strings", "md5sum", "sha1sum", "sha256sum", "sha512sum",
         "shasum", "md5",
         "cksum", "sum", "b2sum", "expand", "unexpand", "pr", "fmt", "zcat", "cut", "paste", "column", "join",
         "colordiff",
         "eza", "exa", "cloc", "tokei", "scc"),
        _PLAIN,
    ),
    **dict.fromkeys(_NAMES, reader(names=True)),
    **dict.fromkeys(
        ("pwd", "echo", "tr", "basename", "dirname", "whoami", "id", "uname", "uptime", "nproc", "lscpu",
        "free", "sleep",
         "seq", "expr", "which", "type", "cal", "arch", "locale", "sw_vers", "tput", "numfmt", "factor",
         "groups", "tty", "df"),
        _FREE,
    ),
    "hostname": reader(free=True, most=0),
    "printf": reader("-v", free=True),
    "printenv": _printenv,
    "file": reader("-C", "--compile", "-m", "--magic-file", "-f", "--files-from"),
    "sort": reader("-o", "--output", "--compress-program", "-T", "--temporary-directory", "--files0-from"),
    "uniq": reader(most=1),
    "shuf": reader("-o", "--output"),
    "base64": reader("-o", "--output"),
    "iconv": reader("-o", "--output"),
    "jq": _jq,
    "yq": _yq,
    "tree": reader("-o", "-R"),
    "xxd": reader("-r", "-revert", most=1),
    "bat": reader("--pager", "--paging", "--config-file", "--diff"),
    "fd": _fd,
    **dict.fromkeys(("awk", "gawk", "mawk"), _awk),
    "sed": _sed,
    "perl": _perl,
    **dict.fromkeys(("test", "[", "[["), _test),
    "date": _date,
    "ps": _ps,
}  # fmt: skip
