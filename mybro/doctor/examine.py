"""An examination: what is there, which engines look, what they found and what nobody could look at."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Semaphore

from mybro.doctor import engines, facts, settings
from mybro.doctor.check import Check, DoctorError, choose
from mybro.doctor.engine import CHILDREN, AsksForWords, Engine, EngineError, Outcome, Task
from mybro.doctor.facts import MAX_SOURCE_BYTES, Repository
from mybro.doctor.finding import LEVELS, Finding, Unexamined
from mybro.doctor.git import GitError
from mybro.doctor.languages import READ
from mybro.doctor.merge import merge
from mybro.doctor.settings import DoctorSettings, matches
from mybro.doctor.shapes import Shape
from mybro.doctor.suppress import MARK, Comments, Hidden, read_baseline
from mybro.doctor.survey import LEAST_BYTES, Survey

DEFAULT_S = 120.0
DEEP_S = 900.0
_WORKERS = 4
_USUAL = gc.get_threshold()
_SELDOM = 200_000
"""Objects made between two looks for rings of garbage: syntax trees are many objects, and no rings."""
_EXTRA = frozenset({"betterleaks", "gitleaks", "actionlint", "hadolint"})
"""Others look for the same: without them the result is poorer, not incomplete."""
_SLOW = ("ruff", "typos", "complexipy")
"""Begun first, so that the quick ones fill what they leave."""
_INSIDE = frozenset({"mybro", "rules"})
"""Done by this process itself."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    root: Path
    paths: tuple[str, ...] = ()
    """Relative to the root; empty: everything."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    deep: bool = False
    changed: bool = False
    base: str | None = None
    trust: bool = False
    online: bool = False
    edits: bool = False
    timeout_s: float | None = None
    baseline: Path | None = None
    use_baseline: bool = True


@dataclass(slots=True)
class Examination:
    """What came of it."""

    repo: Repository
    checks: dict[str, Check]
    """Those that were looked for: wanted, and applying to what is there."""
    findings: list[Finding]
    """The worst first."""
    hidden: list[Hidden] = field(default_factory=list)
    unexamined: list[Unexamined] = field(default_factory=list)
    seconds: float = 0.0
    engines: dict[str, float] = field(default_factory=dict)
    """Engine to its seconds."""
    fail_on: str = "medium"

    @property
    def incomplete(self) -> bool:
        return any(entry.partial for entry in self.unexamined)

    def failing(self, threshold: str | None = None) -> list[Finding]:
        """The findings at or above the threshold."""
        least = LEVELS[threshold or self.fail_on]
        return [finding for finding in self.findings if LEVELS[finding.severity] >= least]

    def exit_code(self, threshold: str | None = None) -> int:
        """0 clean, 1 findings at or above the threshold, 3 nothing found and not everything looked at."""
        return 1 if self.failing(threshold) else 3 if self.incomplete else 0


Progress = Callable[[int, int, str], None]
"""Engines done, engines in all, the engine that has just ended."""


def examine(wish: Wish, progress: Progress | None = None) -> Examination:
    """Look; blocks, and a KeyboardInterrupt ends all engines. Raises `DoctorError`."""
    gc.set_threshold(_SELDOM, *_USUAL[1:])
    try:
        return _examine(wish, progress)
    finally:
        gc.set_threshold(*_USUAL)


def _examine(wish: Wish, progress: Progress | None) -> Examination:
    began = time.monotonic()
    repo = facts.look(wish.root, wish.paths or None)
    if wish.changed:
        _only_changed(repo, wish.base)
    own = settings.read(repo)
    if own.exclude:
        repo.files = {
            p: f for p, f in repo.files.items() if not any(matches(p, glob) for glob in own.exclude)
        }
        repo.unexamined = [
            u for u in repo.unexamined if not any(matches(u.what, glob) for glob in own.exclude)
        ]
    ignored = choose(wish.ignore) if wish.ignore else []
    chosen = settings.wanted(own, wish.select)
    for check in ignored:
        chosen.pop(check.id, None)
    checks = {name: check for name, check in chosen.items() if _applies(check, repo, wish)}
    result = Examination(repo, checks, [], list[Hidden](), list(repo.unexamined), fail_on=own.fail_on)
    found = _run(result, wish, began + (wish.timeout_s or (DEEP_S if wish.deep else DEFAULT_S)), progress)
    _sift(result, merge(found, checks), own, wish)
    result.unexamined = sorted(set(result.unexamined))
    result.seconds = time.monotonic() - began
    return result


def _only_changed(repo: Repository, base: str | None) -> None:
    if repo.git is None:
        raise DoctorError("no_git", "--changed needs a git repository", hint="Leave it away to examine all")
    try:
        changed = repo.git.changed(base)
    except GitError as error:
        raise DoctorError("no_base", str(error), hint="Name the branch: --changed --base main") from None
    repo.focus = frozenset(changed) & repo.files.keys()
    repo.unexamined = [entry for entry in repo.unexamined if entry.what in repo.focus]


def _applies(check: Check, repo: Repository, wish: Wish) -> bool:
    if check.deep and not (wish.deep or check.id in {word.upper() for word in wish.select}):
        return False
    if ("network" in check.needs and not wish.online) or ("trust" in check.needs and not wish.trust):
        return False
    return not check.languages or any(repo.languages[language] for language in check.languages)


def _plan(result: Examination) -> tuple[dict[str, dict[str, Check]], list[Unexamined]]:
    """Engine to the checks that it serves; and the checks that no engine here can look for."""
    plan: defaultdict[str, dict[str, Check]] = defaultdict(dict)
    here: dict[str, Engine] = {}
    missing: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for check in result.checks.values():
        able = []
        for name in check.engines:
            if name not in here:
                here[name] = engines.load(name)
            if here[name].available():
                able.append(name)
        for name in able:
            plan[name][check.id] = check
        if not able and not check.optional:
            missing[tuple(check.engines)].append(check.id)
    told = [
        Unexamined(", ".join(ids), f"needs {' or '.join(names)}, which is not installed", names[0])
        for names, ids in missing.items()
    ]
    return dict(plan), told


def _run(result: Examination, wish: Wish, deadline: float, progress: Progress | None) -> Iterable[Finding]:
    plan, missing = _plan(result)
    result.unexamined += [entry for entry in missing if _has_work(entry, result)]
    order = sorted(plan, key=lambda name: (_SLOW.index(name) if name in _SLOW else len(_SLOW), name))
    findings: list[Finding] = []
    tasks = {name: Task(result.repo, plan[name], deadline, wish.edits, wish.deep) for name in order}
    survey(result.repo, tasks)
    CHILDREN.open()
    inside = ThreadPoolExecutor(1, thread_name_prefix="doctor-own")
    outside = ThreadPoolExecutor(_WORKERS, thread_name_prefix="doctor")
    # The own checks run in this process, on one core: programs leave it to them until they are done. One
    # program alone would not keep the others busy.
    free = Semaphore(max(2, min(_WORKERS, os.cpu_count() or 1) - 1))
    try:
        running: dict[Future[Outcome], str] = {}
        for name, task in tasks.items():
            if name not in _INSIDE:
                running[outside.submit(_when_free, free, name, task)] = name
        for name in sorted(_INSIDE & tasks.keys()):
            running[inside.submit(_one, name, tasks[name])] = name
        inside.submit(free.release)
        done = 0
        while running:
            ended, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in ended:
                name = running.pop(future)
                outcome = future.result()
                done += 1
                result.engines[name] = outcome.seconds
                findings += outcome.findings
                result.unexamined += outcome.unexamined
                if progress:
                    progress(done, len(order), name)
    except BaseException:
        CHILDREN.stop()
        raise
    finally:
        inside.shutdown(wait=True, cancel_futures=True)
        free.release(_WORKERS)
        outside.shutdown(wait=True, cancel_futures=True)
    return findings


def survey(repo: Repository, tasks: Mapping[str, Task], least_bytes: int = LEAST_BYTES) -> None:
    """Let one look at all files serve every engine that asks for words; a few files are not worth it."""
    looked = repo.sources(*READ)
    if sum(file.size for file in looked) < least_bytes:
        return

    def words() -> Iterator[bytes | Shape]:
        yield MARK
        for name, task in tasks.items():
            engine = engines.load(name)
            if isinstance(engine, AsksForWords):
                yield from engine.words(task)

    deadline = min((task.deadline for task in tasks.values()), default=0.0)
    languages = {file.path: file.language for file in looked}
    repo.survey = Survey(repo.read, languages, words, deadline, repo.root, MAX_SOURCE_BYTES, languages)


def _has_work(entry: Unexamined, result: Examination) -> bool:
    """An engine that would have found no file of its kind is not missed."""
    if entry.engine != "zizmor":
        return True
    from mybro.doctor.engines.zizmor import workflow

    return any(map(workflow, result.repo.files))


def _when_free(free: Semaphore, name: str, task: Task) -> Outcome:
    with free:
        return _one(name, task)


def _one(name: str, task: Task) -> Outcome:
    began = time.monotonic()
    try:
        outcome = engines.load(name).run(task)
    except EngineError as error:
        alone = name not in _EXTRA
        outcome = Outcome(unexamined=[Unexamined(", ".join(task.checks), f"{name}: {error}", name, alone)])
    except Exception as error:
        why = f"{name}: gave something unexpected ({type(error).__name__}: {str(error)[:120]})"
        outcome = Outcome(unexamined=[Unexamined(", ".join(task.checks), why, name)])
    outcome.seconds = time.monotonic() - began
    return outcome


def _sift(result: Examination, findings: list[Finding], own: DoctorSettings, wish: Wish) -> None:
    """Put aside what the configuration, comments or the baseline accept."""
    comments = Comments(result.repo)
    known: Counter[str] = Counter()
    file = wish.baseline or (wish.root / own.baseline if own.baseline else None)
    if file is not None and wish.use_baseline:
        known = read_baseline(file)
    for finding in findings:
        # What is wrong with the repository as a whole is no matter of the files that were asked for.
        if (wish.changed or wish.paths) and not (finding.path and result.repo.asked(finding.path)):
            continue
        reason = comments.reason(finding)
        if own.hides(finding) and finding.check not in wish.select:
            reason = reason or own.reasons.get(finding.check) or "configuration"
        elif not reason and known[finding.fingerprint] > 0:
            known[finding.fingerprint] -= 1
            reason = "baseline"
        if reason:
            result.hidden.append(Hidden(replace(finding, edits=()), reason))
        else:
            result.findings.append(finding)
    result.unexamined += comments.without_reason
