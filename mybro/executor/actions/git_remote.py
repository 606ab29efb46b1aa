"""Pushes and pull requests. Nothing is ever forced."""

from __future__ import annotations

import re
from urllib.parse import quote

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.git_reading import Status, read_status
from mybro.executor.actions.work import Work, last_words, output, program
from mybro.executor.words import count_words

_PUSH_TIMEOUT_S = 300.0


async def push(work: Work) -> Outcome:
    """Push the branch, and remember where to."""
    now = await read_status(work)
    remote, pushed = await _push(work, now)
    name = work.arguments.branch or now.branch
    if not pushed:
        return Outcome(f"{remote} has everything of {name} already.")
    return Outcome(f"Pushed {name} to {remote}.")


async def _push(work: Work, now: Status) -> tuple[str, bool]:
    """The remote's name, and whether there was anything to push."""
    name = work.arguments.branch or now.branch
    if name is None:
        raise ExecutorError(
            "no_branch", "you are on no branch", hint="Make one first: say “new branch” and a name."
        )
    if now.unborn and name == now.branch:
        raise ExecutorError("no_commit", "there is no commit to push yet", hint="Say “commit” first.")
    remote = await _remote(work, now)
    result = await work.run(
        "git", "push", "--porcelain", "--set-upstream", remote, f"refs/heads/{name}:refs/heads/{name}",
        timeout_s=_PUSH_TIMEOUT_S,
    )  # fmt: skip
    text = output(result)
    if result.returncode == 0:
        return remote, not re.search(r"^=\t", text, re.MULTILINE)
    if "fetch first" in text or "non-fast-forward" in text:
        raise ExecutorError(
            "push_rejected", f"{remote} has commits of {name} that are not here",
            hint="Pull first; I never force a push.",
        )  # fmt: skip
    if re.search(r"(?i)could not read (username|password)|authentication failed|permission denied", text):
        raise ExecutorError(
            "not_signed_in", f"{remote} did not let us in", hint="Sign in on the command line once: git push."
        )
    if "does not match any" in text:
        raise ExecutorError("no_branch", f"there is no branch {name}")
    raise ExecutorError("push_failed", f"the push failed: {without_secrets(last_words(result))}")


async def _remote(work: Work, now: Status) -> str:
    remotes = (await work.git("remote")).split()
    said = work.arguments.remote
    if said:
        if said not in remotes:
            raise ExecutorError("no_remote", f"there is no remote called {said}")
        return said
    if now.upstream:
        tracked = next((r for r in remotes if now.upstream.startswith(f"{r}/")), None)
        if tracked:
            return tracked
    if "origin" in remotes:
        return "origin"
    if len(remotes) == 1:
        return remotes[0]
    if remotes:
        raise ExecutorError(
            "which_remote", f"which remote: {' or '.join(remotes)}?", hint="Name it: push to origin."
        )
    raise ExecutorError(
        "no_remote", "this repository has no remote to push to", hint="Add one: git remote add origin URL."
    )


async def pull_request(work: Work) -> Outcome:
    """Push, then open a pull request with `gh`; without it, give the address where to open one."""
    now = await read_status(work)
    if now.branch is None:
        raise ExecutorError(
            "no_branch", "you are on no branch", hint="Make one first: say “new branch” and a name."
        )
    remote = await _remote(work, now)
    base = await _base(work, remote)
    if now.branch == base:
        raise ExecutorError(
            "on_base", f"you are on {base}, which a pull request would go into",
            hint="Make a branch first: say “new branch” and a name.",
        )  # fmt: skip
    url = await work.git("remote", "get-url", remote)
    await _push(work, now)
    rest = (
        f" {count_words(len(now.changed) + len(now.untracked), 'change')} not committed."
        if not now.clean
        else ""
    )
    gh = program("gh", repo=work.repo)
    if gh is None:
        page = compare_page(url, base, now.branch)
        if page is None:
            return Outcome(f"Pushed {now.branch}. Open the pull request on your server's page.{rest}")
        return Outcome(f"Pushed {now.branch}. The page to open the pull request is shown.{rest}", detail=page)
    title = work.arguments.message
    with_title = ("--title", title, "--body", "") if title else ("--fill",)
    result = await work.run(gh, "pr", "create", "--head", now.branch, "--base", base, *with_title)
    text = output(result)
    found = re.search(r"https://\S+/pull/(\d+)", text)
    if result.returncode != 0:
        if "already exists" in text and found:
            return Outcome(
                f"There is a pull request already, number {found.group(1)}.", detail=found.group(0)
            )
        raise ExecutorError(
            "pull_request_failed", f"gh did not open it: {without_secrets(last_words(result))}"
        )
    return Outcome(
        f"Opened pull request {found.group(1)}.{rest}" if found else f"Opened the pull request.{rest}",
        detail=found.group(0) if found else text,
    )


async def _base(work: Work, remote: str) -> str:
    """The branch that pull requests go into."""
    head = await work.git("symbolic-ref", "--short", f"refs/remotes/{remote}/HEAD", check=False)
    if head:
        return head.strip().removeprefix(f"{remote}/")
    for name in ("main", "master"):
        if await work.git("rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/{name}", check=False):
            return name
    return "main"


def compare_page(url: str, base: str, branch: str) -> str | None:
    """Where a browser opens a pull request; None for a server that is not known to have such a page."""
    found = re.match(r"(?:[\w+.-]+://)?(?:[^@/]*@)?([^/:]+)(?::\d+(?=/))?[/:](.+?)(?:\.git)?/?$", url.strip())
    if not found or "." not in found.group(1):
        return None
    host, path = found.groups()
    branch, base = quote(branch, safe="/"), quote(base, safe="/")
    if "gitlab" in host:
        return f"https://{host}/{path}/-/merge_requests/new?merge_request[source_branch]={branch}"
    if "bitbucket" in host:
        return f"https://{host}/{path}/pull-requests/new?source={branch}&dest={base}"
    return f"https://{host}/{path}/compare/{base}...{branch}?expand=1"


def without_secrets(text: str) -> str:
    """Text without the name and password that an address may hold."""
    return re.sub(r"(\w+://)[^@/\s]+@", r"\1", text)
