"""Commits and branches. The user's hooks run as they would on the command line."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.git_reading import Status, read_status
from mybro.executor.actions.work import Work, last_words, output, scratch_file
from mybro.executor.words import count_words, files_words
from mybro.ops.tree import CommandResult

_SECRET = (".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa", "id_ed25519", "id_ecdsa",
           ".netrc", ".npmrc", ".pypirc", "credentials.json")  # fmt: skip
_NOT_SECRET = (".env.example", ".env.sample", ".env.template")


async def commit(work: Work) -> Outcome:
    """Commit what is staged; where nothing is, everything that changed, new files too."""
    now = await read_status(work)
    if now.conflicts:
        verb = "has" if len(now.conflicts) == 1 else "have"
        raise ExecutorError(
            "conflicts", f"{files_words(now.conflicts)} still {verb} conflicts", hint="Mend them first."
        )
    left_out: list[str] = []
    staged_here = not now.staged
    if staged_here:
        left_out = await _stage(work)
    names = await _staged(work)
    if not names:
        return Outcome("There is nothing to commit.")
    message = (work.arguments.message or "").strip() or _message(names)
    result = await work.run("git", "commit", "--quiet", "-m", message)
    if result.returncode != 0:
        if staged_here:
            await _unstage(work, now)
        raise _refused(result)
    short = (await work.git("log", "-1", "--format=%h")).split()
    words = f"Committed {count_words(len(names), 'file')}: “{message.splitlines()[0]}”."
    if left_out:
        words += f" I left out {files_words(left_out)}, which may hold secrets."
    return Outcome(words, detail="\n".join([*short, *(f"{kind} {name}" for kind, name in names)]))


async def _stage(work: Work) -> list[str]:
    """Stage everything but nested repositories and new files that look like secrets; returns these."""
    listed = await work.git("ls-files", "-z", "--others", "--exclude-standard")
    new = [name for name in listed.split("\0") if name and not name.endswith("/")]
    secrets = [name for name in new if _is_secret(name.rsplit("/", 1)[-1])]
    wanted = [name for name in new if name not in secrets]
    result = await work.run("git", "add", "--update", "--", ".", quiet=True)
    if result.returncode == 0 and wanted:
        with scratch_file(".txt") as names:
            names.write_bytes(b"\0".join(map(os.fsencode, wanted)))
            result = await work.run(
                "git", "--literal-pathspecs", "add", f"--pathspec-from-file={names}", "--pathspec-file-nul",
                quiet=True,
            )  # fmt: skip
    if result.returncode != 0:
        raise ExecutorError("git_failed", f"git could not stage: {last_words(result)}")
    return secrets


def _is_secret(name: str) -> bool:
    return any(fnmatch(name, p) for p in _SECRET) and not any(fnmatch(name, p) for p in _NOT_SECRET)


async def _staged(work: Work) -> list[tuple[str, str]]:
    """Kind (A, M, D, T) and name of everything staged."""
    listed = await work.git("diff", "--cached", "--name-status", "-z", "--no-ext-diff", "--no-renames")
    fields = listed.split("\0")
    return [(kind[:1], name) for kind, name in zip(fields[::2], fields[1::2], strict=False)]


async def _unstage(work: Work, now: Status) -> None:
    """Have nothing staged, as it was."""
    if now.unborn:
        await work.run("git", "rm", "-r", "--cached", "--quiet", "--force", "--", ".", quiet=True)
    else:
        await work.run("git", "reset", "--quiet", quiet=True)


def _message(names: list[tuple[str, str]]) -> str:
    """A plain message from what changed: "Add parser.py and test_parser.py"."""
    verbs = {"A": "Add", "D": "Remove"}
    kinds = {kind for kind, _ in names}
    verb = verbs.get(kinds.pop(), "Update") if len(kinds) == 1 else "Update"
    return f"{verb} {files_words([name for _, name in names])}"


def _refused(result: CommandResult) -> ExecutorError:
    text = output(result)
    if "Please tell me who you are" in text:
        return ExecutorError(
            "no_identity", "git does not know who you are",
            hint="Set user.name and user.email with git config --global.",
        )  # fmt: skip
    return ExecutorError("commit_refused", f"the commit was refused: {last_words(result)}")


async def branch(work: Work) -> Outcome:
    """Switch to a branch, and make it where there is none; without a name, say which there are."""
    said = work.arguments.branch or work.arguments.name
    current = (await read_status(work)).branch
    names = (await work.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")).split()
    if not said:
        others = [name for name in names if name != current]
        rest = f" The others: {', '.join(others[:5])}." if others else ""
        return Outcome(f"You are on {current or 'no branch'}.{rest}", detail="\n".join(names))
    existing = _known(said, names)
    name = existing or branch_name(said)
    if name == current:
        return Outcome(f"You are on {name} already.")
    argv = ["git", "switch", "--quiet", name] if existing else ["git", "switch", "--quiet", "-c", name]
    result = await work.run(*argv)
    if result.returncode != 0:
        raise ExecutorError("branch_refused", f"git would not switch: {_why_not(result)}")
    return Outcome(f"Switched to {name}." if existing else f"Made the branch {name}, and switched to it.")


def _why_not(result: CommandResult) -> str:
    text = output(result)
    if "would be overwritten" in text:
        return "files that you changed would be overwritten; commit them first"
    return last_words(result)


def _known(said: str, names: list[str]) -> str | None:
    """The branch that is meant by spoken words."""
    key = _key(said)
    return next((n for n in names if n == said), None) or next((n for n in names if _key(n) == key), None)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\bslash\b|\bdash\b", "", name.lower()))


def branch_name(said: str) -> str:
    """A branch's name from spoken words: "fix the parser" gives "fix-the-parser"."""
    text = re.sub(r"\s+slash\s+", "/", said.strip())
    text = re.sub(r"\s+(?:dash|hyphen)\s+|\s+", "-", text)
    text = re.sub(r"[^\w./-]", "", text).replace("..", ".")
    text = "/".join(part.strip(".-").removesuffix(".lock") for part in text.split("/") if part.strip(".-"))
    if not text:
        raise ExecutorError("bad_branch_name", f"“{said}” cannot be a branch's name")
    return text
