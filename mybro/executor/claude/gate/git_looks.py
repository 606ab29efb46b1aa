"""git: calls that only say what they would do, short lists, and settings for one command."""

from __future__ import annotations

import re

from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.words import Word

SETTING = re.compile(
    r"(color\.\w+|core\.quotepath|advice\.\w+|diff\.(context|renames|noprefix)|log\.\w+|commit\.gpgsign)=[\w]*"
    r"|init\.defaultbranch=[\w-]+|core\.pager=(cat)?|user\.(name|email)=[\w.@ -]+",
    re.IGNORECASE,
)
"""What may be set for one command: nothing that runs a program."""


def inside(words: list[Word], place: Place) -> bool:
    """Whether all of them, and at least one, are places in the repository and no options."""
    return bool(words) and all(place.reads(word) and not (word.text or "").startswith("-") for word in words)


def looks(verb: str, texts: list[str]) -> bool:
    """Calls that only say what they would do, and lists."""
    match verb:
        case "clean":  # without -n it deletes: the last of contradicting options would count
            flags = all(re.fullmatch(r"-[ndxX]+|--dry-run", text) for text in texts if text.startswith("-"))
            return flags and any(re.fullmatch(r"-\w*n\w*|--dry-run", text) for text in texts)
        case "push":
            return (
                bool(texts)
                and texts[0] in ("--dry-run", "-n")
                and all(re.fullmatch(r"[\w/-]+", t) for t in texts[1:])
            )
        case "ls-remote":
            return all(
                re.fullmatch(r"--(heads|tags|refs|symref)|origin|upstream|HEAD", text) for text in texts
            )
        case "config":
            secret = re.compile(r"token|pass|secret|credential|helper|header", re.IGNORECASE)
            return (
                len(texts) == 1
                and bool(re.fullmatch(r"\w+(\.[\w/-]+)+", texts[0]))
                and not secret.search(texts[0])
            )
        case "apply":
            return (
                bool(texts)
                and texts[0] in ("--check", "--stat", "--numstat")
                and not any(text.startswith(("-", "/", "~")) or ".." in text for text in texts[1:])
            )
        case "format-patch":
            return "--stdout" in texts and all(
                re.fullmatch(r"--stdout|-\d+|(?!-)[\w./@^~-]+", text) for text in texts
            )
        case "fetch":
            return "--dry-run" in texts and all(
                re.fullmatch(
                    r"--(dry-run|all|prune|tags|prune-tags|verbose|quiet)|-[pqvt]|origin|upstream|main", text
                )
                for text in texts
            )
        case "symbolic-ref":
            return re.fullmatch(r"(-q |--quiet )?(--short )?[\w/]+", " ".join(texts)) is not None
        case "archive":
            return all(
                re.fullmatch(r"--format=\w+|--prefix=[\w./-]+|(?!-)[\w./@^~-]+", text) for text in texts
            )
        case "rebase":
            return texts == ["--show-current-patch"]
        case "bisect" | "notes" | "lfs" | "sparse-checkout" | "am":
            return texts in (["log"], ["list"], ["show"], ["ls-files"], ["status"], ["--show-current-patch"])
    return False


_DOORS = (
    "--output", "--ext-diff", "--upload-pack", "--receive-pack", "--exec", "--open-files-in-pager",
    "--config",
    "--template", "--no-index", "--textconv", "--filters", "--force", "--delete", "--prune-tags", "--edit",
    "--remote",
    "--work-tree",
    "--git-dir", "--strategy", "--upload", "--mirror", "--hard", "--from-file", "--pathspec-from-file",
    "--recurse-submodules",
)  # fmt: skip
"""Options that write, run or reach further than the command does; git takes their beginnings too."""


def opens_door(option: str) -> bool:
    name = option.partition("=")[0]
    known = name in (
        "--format",
        "--exclude-standard",
        "--no-edit",
        "--stat",
        "--text",
        "--prune",
        "--deleted",
    )
    return (
        not known and len(name) > 3 and any(door.startswith(name) or name.startswith(door) for door in _DOORS)
    )
