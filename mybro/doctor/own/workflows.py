"""GitHub workflows: what zizmor, which looks for attacks, leaves aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.own.place import Content, Hit, first_line

_OTHERS = (
    ".gitlab-ci.yml",
    ".travis.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
    ".drone.yml",
    ".woodpecker.yml",
    "appveyor.yml",
    ".cirrus.yml",
    "codemagic.yaml",
)
_FOLDERS = (
    ".github/workflows/",
    ".circleci/",
    ".buildkite/",
    ".ci/",
    ".gitea/workflows/",
    ".forgejo/workflows/",
    ".woodpecker/",
)
_TOP = frozenset({"name", "run-name", "on", True, "permissions", "env", "defaults", "concurrency", "jobs"})
_EVENTS = frozenset(
    [
        "branch_protection_rule",
        "check_run",
        "check_suite",
        "create",
        "delete",
        "deployment",
        "deployment_status",
        "discussion",
        "discussion_comment",
        "fork",
        "gollum",
        "image_version",
        "issue_comment",
        "issues",
        "label",
        "merge_group",
        "milestone",
        "page_build",
        "project",
        "project_card",
        "project_column",
        "public",
        "pull_request",
        "pull_request_comment",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_target",
        "push",
        "registry_package",
        "release",
        "repository_dispatch",
        "schedule",
        "status",
        "sub_issues",
        "watch",
        "workflow_call",
        "workflow_dispatch",
        "workflow_run",
    ]
)
_RUNNERS = (
    "ubuntu-16.04",
    "ubuntu-18.04",
    "ubuntu-20.04",
    "macos-10.15",
    "macos-11",
    "macos-12",
    "windows-2016",
    "windows-2019",
)
_OLD_ACTIONS = {
    "actions/checkout": 3,
    "actions/setup-python": 4,
    "actions/setup-node": 3,
    "actions/cache": 3,
    "actions/upload-artifact": 4,
    "actions/download-artifact": 4,
    "actions/setup-go": 4,
    "actions/setup-java": 3,
    "actions/github-script": 6,
}
"""Below this major version they no longer run, or soon will not."""
_DEEP = 200
_OPENED = re.compile(r"\$\{\{(?:(?!\}\}|\$\{\{)[\s\S])*(?=\$\{\{|\Z)")
_USES = re.compile(r"uses:\s*[\"']?([\w.-]+/[\w.-]+)@v(\d+)\b")


def _is_workflow(content: Content) -> bool:
    path = content.file.path
    return path.startswith((".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"))


def _load(content: Content) -> Any:
    """The document; None where it is no YAML."""
    try:
        return _document(content.text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _document(text: str) -> Any:
    """Raises YAMLError or ValueError.

    Brackets in brackets take the parser the square of their number, and lists in lists its stack: in C, that
    would end this process. By indentation alone nobody gets that deep in a file of this size.
    """
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1 if depth else 0
        deepest = max(deepest, depth)
    if deepest > _DEEP or any(line.count("- ") + line.count("? ") > _DEEP for line in text.splitlines()):
        raise ValueError("nested too deeply")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe)


def workflow_syntax(content: Content) -> Iterator[Hit]:
    """What GitHub refuses before anything runs."""
    if not _is_workflow(content):
        return
    path, text = content.file.path, content.text
    try:
        data = _document(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        yield Hit(path, mark.line + 1 if mark else 0, "is no valid YAML")
        return
    if not isinstance(data, dict):
        yield Hit(path, 1, "is no workflow")
        return
    for key in data.keys() - _TOP:
        yield Hit(path, first_line(text, rf"(?m)^{re.escape(str(key))}\s*:"), f"GitHub does not know {key}:")
    if "on" not in data and True not in data:
        yield Hit(path, 1, "never starts: there is no on:")
    events = data.get("on", data.get(True)) or ()
    for event in [events] if isinstance(events, str) else events if isinstance(events, list | dict) else ():
        if event not in _EVENTS:
            yield Hit(
                path, first_line(text, rf"\b{re.escape(str(event))}\b", 1), f"there is no event {event}"
            )
    for found in _OPENED.finditer(text):
        yield Hit(path, text.count("\n", 0, found.start()) + 1, "${{ is never closed")
    jobs = data.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        yield Hit(path, first_line(text, r"(?m)^jobs", 1), "has no jobs")
        return
    for name, job in jobs.items():
        yield from _job(path, text, str(name), job, set(map(str, jobs)))


def _job(path: str, text: str, name: str, job: Any, jobs: set[str]) -> Iterator[Hit]:
    line = first_line(text, rf"(?m)^[ \t]+[\"']?{re.escape(name)}[\"']?[ \t]*:")
    if not isinstance(job, dict):
        yield Hit(path, line, f"the job {name} is empty")
        return
    if "uses" not in job and "runs-on" not in job:
        yield Hit(path, line, f"the job {name} does not say what it runs-on")
    if "uses" not in job and not isinstance(job.get("steps"), list):
        yield Hit(path, line, f"the job {name} has no steps")
    needs = job.get("needs") or []
    for other in [needs] if isinstance(needs, str) else needs:
        if str(other) not in jobs:
            yield Hit(path, line, f"the job {name} waits for {other}, which there is not")
    for step in job.get("steps") or ():
        if isinstance(step, dict) and (("run" in step) == ("uses" in step)):
            yield Hit(path, line, f"a step of {name} needs either run: or uses:")


def job_timeout(content: Content) -> Iterator[Hit]:
    """Jobs that run steps of their own."""
    data = _load(content) if _is_workflow(content) else None
    jobs = data.get("jobs") if isinstance(data, dict) else None
    for name, job in (jobs or {}).items() if isinstance(jobs, dict) else ():
        if isinstance(job, dict) and "runs-on" in job and "timeout-minutes" not in job:
            steps = job.get("steps") or []
            if steps and all(isinstance(s, dict) and "timeout-minutes" in s for s in steps):
                continue
            found = re.search(
                rf"(?m)^([ \t]+)[\"']?{re.escape(str(name))}[\"']?\s*:[ \t]*(?:#.*)?\n", content.text
            )
            inner = re.match(r"[ \t]+", content.text[found.end() :]) if found else None
            edits: tuple[Edit, ...] = ()
            if found and inner and len(inner[0]) > len(found[1]):
                place = len(content.text[: found.end()].encode())
                edits = (Edit(place, place, f"{inner[0]}timeout-minutes: 30\n".encode()),)
            line = content.text.count("\n", 0, found.start()) + 1 if found else 0
            yield Hit(
                content.file.path,
                line,
                f"the job {name} may run for six hours",
                edits,
                "unsafe" if edits else "no",
                anchor=str(name),
            )


def retired(content: Content) -> Iterator[Hit]:
    """Runners and major versions that GitHub has taken away."""
    if not _is_workflow(content):
        return
    for number, line in enumerate(content.text.splitlines(), 1):
        bare = line.partition(" #")[0]
        for runner in _RUNNERS:
            if re.search(rf"(?<![\w.-]){re.escape(runner)}(?![\w.-])", bare):
                yield Hit(content.file.path, number, f"{runner} is no longer served", anchor=runner)
        found = _USES.search(bare)
        if found and int(found[2]) < _OLD_ACTIONS.get(found[1], 0):
            newest = _OLD_ACTIONS[found[1]]
            yield Hit(
                content.file.path,
                number,
                f"{found[1]}@v{found[2]} is retired; v{newest} or newer is not",
                anchor=found[1],
            )


def no_ci(repo: Repository) -> Iterator[Hit]:
    """Code, and nothing that looks at it by itself."""
    from mybro.doctor.languages import CODE

    if repo.git is None or sum(repo.languages[name] for name in CODE) < 3:
        return
    if not any(path in _OTHERS or path.startswith(_FOLDERS) for path in repo.files):
        yield Hit("", 0, "nothing runs the tests by itself")
