"""git: what reads, what adds, and nothing that rewrites, discards or sends away."""

from __future__ import annotations

import re

from mybro.executor.claude.gate import writing
from mybro.executor.claude.gate.git_looks import SETTING, inside, looks, opens_door
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.reading import is_option
from mybro.executor.claude.gate.words import Command, Word

_READS = {
    "status": "", "log": "O", "diff": "O", "show": "O", "blame": "", "ls-files": "", "ls-tree": "",
    "rev-parse": "", "describe": "",
    "shortlog": "", "rev-list": "", "merge-base": "", "cat-file": "", "show-ref": "", "name-rev": "",
    "whatchanged": "O",
    "count-objects": "", "check-ignore": "", "grep": "Of", "diff-tree": "O", "cherry": "", "version": "",
    "for-each-ref": "",
    "range-diff": "O", "check-attr": "", "annotate": "", "var": "",
}  # fmt: skip
"""Commands that only read, each with the short options that do more."""
_LISTS = {
    "branch": r"-a|-r|-v|-vv|-av|-avv|--all|--list|--show-current|--merged|--no-merged|--contains"
    r"|--sort=\S+|--format=.*|--verbose|--remotes",
    "tag": r"-l|-n\d*|--list|--sort=\S+|--contains|--points-at|--merged",
    "remote": r"-v|--verbose",
    "stash": r"-p|--stat|--patch",
    "worktree": r"--porcelain",
    "reflog": r"-n|-\d+|--oneline",
    "config": r"--get|--list|-l|--get-all|--show-origin|--get-regexp|--local",
    "submodule": r"--recursive|--cached",
}
_SUBCOMMANDS = {
    "remote": ("show", "get-url"), "stash": ("list", "show"), "worktree": ("list",), "reflog": ("show",),
    "config": ("get", "list"), "submodule": ("status",),
}  # fmt: skip
_SHUFFLES = frozenset({"checkout", "switch", "pull", "merge", "stash", "cherry-pick", "revert"})
"""Commands after which other versions of files may be there."""
_REVISION = re.compile(r"[\w./@{}^~#+-]+")


def _git(command: Command, place: Place) -> Reach | None:
    words = _after_options(command.words[1:], place)
    if not words or words[0].text is None:
        return None
    if words[0].text in ("--version", "--help", "help"):
        return Reach.READS if len(words) <= 2 else None
    verb, words = words[0].text, words[1:]
    texts = [word.text or "?" for word in words]
    if looks(verb, texts):
        return Reach.READS
    if verb == "init" and not texts:
        return Reach.WRITES
    if verb == "diff" and texts[:1] == ["--no-index"] and all(place.reads(word) for word in words[1:]):
        words = words[1:]
    if any(opens_door(word.text or "") for word in words if is_option(word)):
        return None
    if verb in _READS:
        return _reads(verb, words, place)
    if verb in _LISTS and (found := _lists(verb, words)) is not None:
        return found
    rule = _WRITES.get(verb)
    if rule is None:
        return None
    made = verb in ("checkout", "switch") and bool(words) and words[0].text in ("-b", "-c", "--create")
    place.traces.shuffled |= verb in _SHUFFLES and not made
    place.traces.commits = True
    return rule(Command(words, document=command.document), place)


def _after_options(words: list[Word], place: Place) -> list[Word] | None:
    """What follows git's own options; None where these are not harmless."""
    if words and words[0].text in ("--no-pager", "-P"):
        words = words[1:]
    while len(words) > 1 and words[0].text == "-c" and SETTING.fullmatch(words[1].text or "?"):
        words = words[2:]
    if words and words[0].text == "-C" and len(words) > 1:
        if words[1].text is None or not place.reads(words[1]) or not place.is_folder(words[1].text):
            return None
        if not place.enter(words[1]):
            return None
        words = words[2:]
    return words


def _reads(verb: str, words: list[Word], place: Place) -> Reach | None:
    for word in words:
        text = word.text
        if word.values is None:
            if not (word.local or word.quoted):
                return None
        elif is_option(word):
            if any(letter in (text or "")[1:] for letter in _READS[verb]) and not (text or "").startswith(
                "--"
            ):
                return None
        elif re.fullmatch(r":[!^][\w./*-]+", text or ""):
            continue
        elif text is None or not re.fullmatch(r".*\s.*|:?[^:]*\s*|[^:]+:[^:]*", text, re.DOTALL):
            if not place.reads(word):
                return None
        elif (
            not place.reads(Word((text.rpartition(":")[2] or ".",)))
            and not (verb == "grep" and word is words[0])
        ) or (not place.reads(Word((text.lstrip(":").replace(":", "/") or ".",))) and ":" in text):
            return None
    return Reach.READS


def _lists(verb: str, words: list[Word]) -> Reach | None:
    plain = [word.text or "?" for word in words if not is_option(word)]
    options = [word.text or "?" for word in words if is_option(word)]
    if not all(re.fullmatch(_LISTS[verb], option) for option in options):
        return None
    if verb in _SUBCOMMANDS:
        if not plain:
            return (
                Reach.READS
                if verb != "stash" and (options or verb in ("remote", "reflog", "submodule"))
                else None
            )
        fine = plain[0] in _SUBCOMMANDS[verb] or (
            verb == "config" and bool(options) and options[0].startswith("--get")
        )
        secret = any(
            re.search(r"token|pass|secret|credential|helper|extraheader", name, re.IGNORECASE)
            for name in plain
        )
        return Reach.READS if fine and not secret else None
    takes = any(
        o.split("=")[0] in ("--merged", "--no-merged", "--contains", "--list", "-l", "--points-at")
        for o in options
    )
    return Reach.READS if not plain or takes else None


def _names_only(words: list[Word], options: str, *, most: int = 99) -> bool:
    plain = [word for word in words if not is_option(word)]
    return (
        all(re.fullmatch(options, word.text or "?") for word in words if is_option(word))
        and len(plain) <= most
        and all(
            _REVISION.fullmatch(word.text or " ") and not (word.text or "").startswith("+") for word in plain
        )
    )


def _add(command: Command, place: Place) -> Reach | None:
    options = r"-A|--all|-u|--update|-v|-n|--dry-run|-N|-p|--patch|--intent-to-add|--"
    ok = all(re.fullmatch(options, w.text or "?") if is_option(w) else place.reads(w) for w in command.words)
    return Reach.WRITES if ok and command.words else None


def _commit(command: Command, place: Place) -> Reach | None:
    expected = False
    for word in command.words:
        if expected:
            expected = False
            continue
        text = word.text or "?"
        if text in ("-F-", "--file=-") or (text == "-" and command.document is not None):
            continue
        if text in ("-F", "--file"):
            continue
        if re.fullmatch(r"-a?q?s?v?m|-m|--message|-am|--author|--date", text):
            expected = True
        elif text == "--":
            continue
        elif is_option(word):
            if not re.fullmatch(
                r"-[aqsv]+|--(all|quiet|signoff|verbose|allow-empty|no-edit|message=.*|author=.*)",
                text,
                re.DOTALL,
            ):
                return None
        elif not place.reads(word):
            return None
    messages = any(re.match(r"-\w*m|--message|-F-?$|--file", w.text or "") for w in command.words)
    return Reach.WRITES if messages and not expected else None


def _checkout(command: Command, place: Place) -> Reach | None:
    words = command.words
    if words and words[0].text in ("-b", "-c", "--create"):
        return Reach.WRITES if _names_only(words[1:], "", most=2) and len(words) > 1 else None
    if (
        len(words) != 1
        or not _names_only(words, "-q", most=1)
        or ((words[0].text or "-").startswith("-") and words[0].text != "-")
    ):
        return None
    # A name that is also a file's would throw its changes away.
    return None if words[0].text == "." or place.exists(words[0].text or ".") else Reach.WRITES


def _switch(command: Command, _: Place) -> Reach | None:
    return (
        Reach.WRITES
        if _names_only(command.words, "-c|--create|-q|-|--detach|-t|--track", most=2) and command.words
        else None
    )


def _branch(command: Command, _: Place) -> Reach | None:
    return (
        Reach.WRITES if _names_only(command.words, "--track|--no-track", most=2) and command.words else None
    )


def _tag(command: Command, _: Place) -> Reach | None:
    if command.words and command.words[0].text in ("-a", "-m"):
        texts = [word.text or "?" for word in command.words]
        return Reach.WRITES if texts[0] == "-a" and len(texts) == 4 and texts[2] == "-m" else None
    if [word.text for word in command.words[1:2]] == ["-m"] and len(command.words) == 3:
        return Reach.WRITES if _names_only(command.words[:1], "", most=1) else None
    return Reach.WRITES if _names_only(command.words, "", most=2) and command.words else None


def _fetch(command: Command, _: Place) -> Reach | None:
    ok = _names_only(
        command.words,
        r"--no-rebase|-q|-v|--all|--tags|-t|--prune|-p|--ff-only|--depth=\d+|--quiet|--no-tags",
        most=2,
    )
    local = all(
        "/" not in (word.text or "")[:1] and ":" not in (word.text or "") and ".." not in (word.text or "")
        for word in command.words
    )
    return Reach.WRITES if ok and local else None


def _merge(command: Command, _: Place) -> Reach | None:
    if [word.text for word in command.words] == ["--abort"]:
        return None
    at = next((n for n, word in enumerate(command.words) if word.text == "-m"), None)
    if at is not None and len(command.words) > at + 1 and command.words[at + 1].text:
        command = Command([*command.words[:at], *command.words[at + 2 :]])
    ok = _names_only(command.words, r"--no-ff|--ff-only|--no-edit|--no-commit|-n|-q|--stat|-x", most=3)
    return Reach.WRITES if ok and any(not is_option(word) for word in command.words) else None


def _stash(command: Command, place: Place) -> Reach | None:
    texts = [word.text or "?" for word in command.words]
    if not texts or (
        texts[0] in ("push", "save")
        and all(not t.startswith("-") or t in ("-m", "-u", "--include-untracked") for t in texts)
    ):
        return Reach.WRITES
    if texts[0] == "push" and "--" in texts:
        at = texts.index("--")
        said = " ".join(texts[1:at]) if at < 4 else "?"
        paths = command.words[at + 1 :]
        if re.fullmatch(r"(-u ?)?(-m .*)?", said, re.DOTALL) and inside(paths, place):
            return Reach.WRITES
    return Reach.WRITES if texts in (["pop"], ["apply"], ["-u"], ["--include-untracked"]) else None


def _reset(command: Command, place: Place) -> Reach | None:
    texts = [word.text or "?" for word in command.words]
    while texts and texts[0] in ("-q", "HEAD", "--mixed", "--"):
        texts = texts[1:]
    ok = all(not text.startswith("-") and place.exists(text) for text in texts)
    return Reach.WRITES if ok else None


def _restore(command: Command, _: Place) -> Reach | None:
    texts = [word.text or "?" for word in command.words]
    ok = texts[:1] in (["--staged"], ["-S"]) and all(not text.startswith("-") for text in texts[1:])
    return Reach.WRITES if ok and len(texts) > 1 else None


def _remove(command: Command, _: Place) -> Reach | None:
    texts = [word.text or "?" for word in command.words]
    return (
        Reach.WRITES
        if texts[:1] == ["--cached"] and len(texts) > 1 and not any(t.startswith("-f") for t in texts)
        else None
    )


def _rename(command: Command, place: Place) -> Reach | None:
    return writing.RULES["mv"](Command([Word(("mv",)), *command.words]), place)


_WRITES: dict[str, Rule] = {
    "mv": _rename,
    "add": _add, "commit": _commit, "checkout": _checkout, "switch": _switch, "branch": _branch, "tag": _tag,
    "fetch": _fetch, "pull": _fetch, "merge": _merge, "stash": _stash, "reset": _reset, "restore": _restore,
    "rm": _remove, "cherry-pick": _merge, "revert": _merge,
}  # fmt: skip
RULES: dict[str, Rule] = {"git": _git}
