"""What every local action works with: the job, a way to run commands, a way to ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mybro.config import ExecutorSettings
from mybro.errors import ChildError, ExecutorError
from mybro.events import Answered, Choice, JobAsked, JobProgressed, QuestionWithdrawn
from mybro.executor.checkpoint.git import environment
from mybro.executor.hand import Job, Report
from mybro.executor.words import lock_words
from mybro.intent import Arguments
from mybro.ops.kept import uninterrupted
from mybro.ops.tree import CommandResult, run_command

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

_PLAIN = {
    "CI": "1", "NO_COLOR": "1", "FORCE_COLOR": "0", "CLICOLOR": "0", "CARGO_TERM_COLOR": "never",
    "TERM": "dumb", "PAGER": "cat", "GIT_PAGER": "cat", "GIT_EDITOR": "true", "EDITOR": "true",
    "PYTHONUNBUFFERED": "1", "GH_PROMPT_DISABLED": "1", "npm_config_yes": "false",
}  # fmt: skip


_MOST_BYTES = 32 << 20
"""Kept of what git answers."""


class Work:
    """One job of a local action."""

    def __init__(self, job: Job, report: Report, settings: ExecutorSettings) -> None:
        self.job = job
        self.settings = settings
        self._report = report
        self._waiting: tuple[int, asyncio.Future[Answered]] | None = None

    @property
    def repo(self) -> Path:
        return self.job.repo

    @property
    def arguments(self) -> Arguments:
        return self.job.intent.arguments

    async def step(self, text: str) -> None:
        """Show one short line of progress."""
        await self._report(JobProgressed(self.job.number, text))

    async def run(
        self, *argv: str, timeout_s: float | None = None, quiet: bool = False, keep_lines: int = 2000
    ) -> CommandResult:
        """Run a command in the repository: no input, no colours, no pager, no prompt.

        `quiet`: its output is not shown as it comes. Raises `ExecutorError` where it is not installed or
        takes too long.
        """
        limit = timeout_s or self.settings.command_timeout_s

        async def show(line: str) -> None:
            if not quiet and (text := plain(line)).strip():
                await self._report(JobProgressed(self.job.number, text, kind="output"))

        env = environment(**_PLAIN)
        try:
            result = await run_command(
                argv, cwd=self.repo, env=env, timeout_s=limit, on_line=show, keep_lines=keep_lines
            )
        except ChildError as error:
            raise ExecutorError(error.code, error.message, hint=error.hint) from error
        if result.timed_out:
            name = Path(argv[0]).name
            raise ExecutorError(
                "timed_out", f"{name} was not done after {limit:.0f} seconds, so I ended it", retryable=True
            )
        return result

    async def git(self, *arguments: str, check: bool = True) -> str:
        """What git answers to a question that changes nothing; "" where it fails and `check` is False.

        Without a keeper, so that it costs milliseconds: git alone runs, no hook and no file monitor.
        Raises `ExecutorError`.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments,
                cwd=self.repo, env=environment(**_PLAIN), start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise ExecutorError("command_not_found", "git is not installed", hint="Install git.") from error
        try:
            async with asyncio.timeout(self.settings.command_timeout_s):
                answer, complaint = await asyncio.gather(
                    _bounded(process.stdout, _MOST_BYTES), _bounded(process.stderr, 1 << 16)
                )
                await process.wait()
        except TimeoutError as error:
            raise ExecutorError("timed_out", f"git {arguments[0]} takes too long") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await uninterrupted(process.wait())
        if process.returncode != 0:
            if check:
                text = complaint.decode(errors="replace").strip() or "it gave no reason"
                raise ExecutorError(
                    "git_failed", f"git {arguments[0]} failed: {plain(text.splitlines()[-1])}"
                )
            return ""
        return os.fsdecode(answer)

    async def ask(self, text: str, choices: Sequence[Choice]) -> str | None:
        """Ask which; the label chosen, or None for none of them or no answer."""
        number = self.job.next_question()
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting = (number, future)
        try:
            asked = JobAsked(
                self.job.number, number, "choice", text, risk="write", choices=tuple(choices),
                timeout_s=self.settings.permission_timeout_s,
            )  # fmt: skip
            await self._report(asked)
            answer = await future
        except asyncio.CancelledError:
            await self._report(QuestionWithdrawn(number))
            raise
        finally:
            self._waiting = None
        labels = [choice.label for choice in choices]
        return answer.choice if answer.yes and answer.choice in labels else None

    def take_answer(self, answer: Answered) -> None:
        """Pass on an answer; one to another question is not for this job."""
        if self._waiting and self._waiting[0] == answer.question and not self._waiting[1].done():
            self._waiting[1].set_result(answer)


async def _bounded(stream: asyncio.StreamReader | None, limit: int) -> bytes:
    """The first bytes of a stream, which is read to its end."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(1 << 16)):
        kept += chunk[: max(0, limit - len(kept))]
    return bytes(kept)


def plain(line: str) -> str:
    """A line without terminal codes, fit to be shown."""
    text = _ESCAPES.sub("", line).rstrip("\r")
    return "".join(c if c.isprintable() or c == "\t" else " " for c in text)


def printable(text: str) -> str:
    """Several lines, each fit to be shown."""
    return "\n".join(plain(line) for line in text.splitlines())


def output(result: CommandResult) -> str:
    """A command's output as it may be shown."""
    text = printable("\n".join(result.lines))
    return f"({result.dropped} lines before these are not shown)\n{text}" if result.dropped else text


def last_words(result: CommandResult) -> str:
    """The line of a failed command's output that most likely says why."""
    if lock := lock_words(output(result)):
        return lock
    lines = [line.strip() for line in output(result).splitlines() if line.strip()]
    for line in reversed(lines):
        if re.match(r"(?i)(error|fatal)\b", line):
            return re.sub(r"(?i)^(error|fatal):\s*", "", line)
    return lines[-1] if lines else f"it ended with status {result.returncode}"


@contextmanager
def scratch_file(suffix: str) -> Iterator[Path]:
    """A path outside the repository for a tool's report; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mybro-") as folder:
        yield Path(folder) / f"report{suffix}"


def program(*names: str, repo: Path) -> str | None:
    """The first of these programs: from the repository's own environments, then from PATH."""
    folders = [repo / ".venv" / "bin", repo / "venv" / "bin", repo / "node_modules" / ".bin"]
    folders += [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    for name in names:
        for folder in folders:
            if os.access(folder / name, os.X_OK) and (folder / name).is_file():
                return str(folder / name)
    return None
