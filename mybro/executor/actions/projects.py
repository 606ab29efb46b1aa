"""A new project beside the repository, from a template."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
from pathlib import Path

from mybro.errors import ChildError, ExecutorError, ScaffoldError
from mybro.events import Choice, Outcome
from mybro.executor.actions.work import Work
from mybro.executor.checkpoint.git import environment
from mybro.executor.outside import Made
from mybro.executor.words import listed
from mybro.ops.kept import uninterrupted
from mybro.ops.tree import run_command
from mybro.scaffold.catalogue import Template, find, matching, templates
from mybro.scaffold.create import Project, commit, create, folder_name

_LOCK_TIMEOUT_S = 120.0


async def new_project(work: Work) -> Outcome:
    """Make the project that was named, from the template that was named or is chosen."""
    template = await _template(work, work.arguments.template)
    name = work.arguments.name or template.name
    parent = await _parent(work)
    try:
        target = parent / folder_name(name)
        await work.step(f"making {target} from {template.name}")
        making = asyncio.ensure_future(asyncio.to_thread(create, template, name, parent, lock=False))
        try:
            project = await asyncio.shield(making)
            await _lock(project, template)
            work.job.left.append(await asyncio.to_thread(Made.at, project.path))
        except asyncio.CancelledError:
            await uninterrupted(_unmake(making))
            raise
    except ScaffoldError as error:
        raise ExecutorError(error.code, error.message, hint=error.hint) from error
    return _told(project, template)


async def _template(work: Work, spoken: str | None) -> Template:
    """Raises `ExecutorError`: needs_agent for a kind of project of which there is no template."""
    known = matching(spoken) if spoken else templates()
    if not known:
        raise ExecutorError("needs_agent", f"there is no template for {spoken}")
    if len(known) == 1:
        return known[0]
    asked = f"Which template: {listed([each.name for each in known], len(known))}?"
    answer = await work.ask(asked, [Choice(each.name, each.title) for each in known])
    if answer is None:
        raise ExecutorError("not_chosen", "no project was made, since I do not know which kind you mean")
    return find(answer)


async def _parent(work: Work) -> Path:
    """The folder that holds the person's repository, also for an agent in a working tree of its own."""
    told = await work.git("rev-parse", "--path-format=absolute", "--git-common-dir", check=False)
    common = Path(told.strip())
    return common.parent.parent if told.strip() and common.name == ".git" else work.repo.parent


async def _lock(project: Project, template: Template) -> None:
    """Write down the versions of what it depends on, where the tool and the network are there."""
    argv = shlex.split(template.lock)
    if not argv or shutil.which(argv[0]) is None:
        return
    try:
        done = await run_command(
            argv, cwd=project.path, env=environment(CI="1", NO_COLOR="1"), timeout_s=_LOCK_TIMEOUT_S
        )
    except ChildError:
        return
    if done.returncode == 0 and not done.timed_out:
        # One that changed nothing has nothing to commit.
        with contextlib.suppress(ScaffoldError):
            await asyncio.to_thread(commit, project.path, "Lock the versions")


async def _unmake(making: asyncio.Future[Project]) -> None:
    """Nothing is left of a project whose making was stopped."""
    done = (await asyncio.gather(making, return_exceptions=True))[0]
    if isinstance(done, Project):
        await asyncio.to_thread(shutil.rmtree, done.path, ignore_errors=True)


def _told(project: Project, template: Template) -> Outcome:
    commands = " and ".join(template.next)
    missing = f" It needs {listed(project.missing)}, which is not installed." if project.missing else ""
    said = f"Made {project.path.name} from {template.name}, beside this repository. First: {commands}."
    lines = [str(project.path), "", f"cd {shlex.quote(str(project.path))}", *template.next]
    return Outcome(said + missing, detail="\n".join(lines))
