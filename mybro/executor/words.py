"""What jobs, undo and redo say: short sentences that can be spoken."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from mybro.events import Outcome
from mybro.executor.checkpoint import Changes, Step, Undone
from mybro.intent import Action, Intent

_TITLES = {
    Action.TEST: "running the tests",
    Action.LINT: "checking the code style",
    Action.FORMAT: "formatting the code",
    Action.GIT_STATUS: "looking at git",
    Action.DIFF: "looking at the changes",
    Action.COMMIT: "committing",
    Action.BRANCH: "changing the branch",
    Action.PUSH: "pushing",
    Action.PULL_REQUEST: "opening a pull request",
    Action.DOCTOR: "looking for what is wrong",
    Action.EXPLAIN_FINDING: "explaining a finding",
    Action.FIX_FINDINGS: "mending what was found",
    Action.DELEGATE_FINDINGS: "having what was found mended",
    Action.ADD_PACKAGE: "adding a package",
    Action.REMOVE_PACKAGE: "removing a package",
    Action.UPGRADE_PACKAGES: "upgrading packages",
    Action.OUTDATED: "looking for newer versions",
    Action.AUDIT: "looking for known weaknesses",
    Action.NEW_PROJECT: "starting a new project",
    Action.RENAME: "renaming",
    Action.FIND_USAGES: "looking for usages",
    Action.CHANGES: "looking at what changed",
    Action.SWITCH_REPOSITORY: "switching the repository",
    Action.SWITCH_AGENT: "switching the agent",
}

_TITLE_CHARS = 60
_EXCLUDED_SHOWN = 12


def title(intent: Intent) -> str:
    """A few words for what a job does, as in "running the tests"."""
    if intent.action is Action.RENAME and intent.arguments.old_name and intent.arguments.new_name:
        return f"renaming {intent.arguments.old_name} to {intent.arguments.new_name}"
    if intent.action is not None:
        return _TITLES.get(intent.action, intent.action.value)
    text = " ".join(intent.text.split()).rstrip(".!?")
    if len(text) > _TITLE_CHARS:
        text = text[:_TITLE_CHARS].rsplit(" ", 1)[0] + "..."
    return f"“{text}”"


def listed(names: Sequence[str], most: int = 3) -> str:
    """ "a", "a and b", "a, b and c", "a, b, c and 2 more"."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def read_out(question: str, labels: Sequence[str]) -> str:
    """A question with its answers: "Which colour? Blue, red or green?"."""
    *most, last = labels or [""]
    return f"{question} {', '.join(most)} or {last}?" if most else f"{question} {last}?" if last else question


def lock_words(told: str) -> str:
    """What git tells of a lock that is there already, as one says it; empty where it tells of none."""
    lock = re.search(r"'([^'\n]+\.lock)': File exists", told)
    return f"another git is at work; if none is, one was killed and left {lock[1]}, remove it" if lock else ""


def files_words(paths: Sequence[str], most: int = 3) -> str:
    """Files by their last names, as one says them: "parser.py and 2 more"."""
    return listed([path.rstrip("/").rsplit("/", 1)[-1] for path in paths], most)


def count_words(number: int, one: str, many: str | None = None) -> str:
    """ "1 file", "3 files"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def excluded_words(excluded: Sequence[str]) -> str:
    """What is listed before a job: what undo will not bring back, "node_modules (excluded by setting)"."""
    named = ["{0} ({2})".format(*line.rpartition(": ")) for line in excluded]
    return f"undo will not bring back {listed(named, _EXCLUDED_SHOWN)}"


def undo_words(done: Sequence[tuple[Step, Undone]], count: int) -> Outcome:
    """What an undo says."""
    if not done:
        return Outcome("There is nothing to undo.")
    return _outcome(done, count, "Undone", "back to what was", "to undo")


def redo_words(done: Sequence[tuple[Step, Undone]], count: int) -> Outcome:
    """What a redo says."""
    if not done:
        return Outcome("There is nothing to do again.")
    return _outcome(done, count, "Done again", "changed again", "to do again")


def changed_words(changes: Changes) -> Outcome:
    """What is different, for "what changed since"."""
    files = changes.files
    if not changes:
        return Outcome("Nothing has changed since.")
    parts = [f"{count_words(len(files), 'file')} changed: {files_words(files)}"] if files else []
    parts += [listed(changes.git)] if changes.git else []
    detail = "\n".join(f"{change.what:8} {path}" for change, path in zip(changes.paths, files, strict=False))
    return Outcome(f"{'; '.join(parts)}.", detail=detail, changed=files)


def listing_words(changed: Sequence[tuple[str, str]]) -> Outcome:
    """What is different, of paths each after what became of it."""
    if not changed:
        return Outcome("Nothing has changed.")
    files = tuple(path for _, path in changed)
    detail = "\n".join(f"{what:8} {path}" for what, path in changed)
    summary = f"{count_words(len(files), 'file')} changed: {files_words(files)}."
    return Outcome(summary, detail=detail, changed=files)


def joined(*outcomes: Outcome) -> Outcome:
    """Several as one."""
    return Outcome(
        " ".join(each.summary for each in outcomes), ok=all(each.ok for each in outcomes),
        detail="\n".join(filter(None, (each.detail for each in outcomes))),
        changed=tuple(path for each in outcomes for path in each.changed),
    )  # fmt: skip


def printable(outcome: Outcome) -> Outcome:
    """The same with file names that are not UTF-8 escaped, so that anything can print it."""

    def escaped(text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()

    changed = tuple(map(escaped, outcome.changed))
    return dataclasses.replace(
        outcome, summary=escaped(outcome.summary), detail=escaped(outcome.detail), changed=changed
    )


def _outcome(done: Sequence[tuple[Step, Undone]], count: int, verb: str, result: str, again: str) -> Outcome:
    names = listed([step.label for step, _ in done])
    restored = list(dict.fromkeys(path for _, undone in done for path in undone.restored))
    git = list(dict.fromkeys(part for _, undone in done for part in undone.git))
    kept = [kept for _, undone in done for kept in undone.kept]
    sentences = [f"{verb}: {names}."]
    if restored:
        sentences.append(f"{files_words(restored)} {'is' if len(restored) == 1 else 'are'} {result}.")
    elif git:
        sentences.append(f"{listed(git)} {'is' if len(git) == 1 else 'are'} {result}.")
    if kept:
        reasons = {k.reason for k in kept}
        why = f", because {reasons.pop()}" if len(reasons) == 1 else ""
        sentences.append(f"I left {files_words([k.path for k in kept])} alone{why}.")
    if len(done) < count:
        sentences.append(f"There was no more {again}.")
    lines = [f"restored  {path}" for path in [*restored, *git]]
    lines += [f"left      {k.path}: {k.reason}" for k in kept]
    nothing = bool(kept) and not restored and not git
    return Outcome(" ".join(sentences), ok=not nothing, detail="\n".join(lines), changed=tuple(restored))
