"""The log: JSON lines in files that rotate daily, and the newest in memory for those who watch.

What was said is left out unless the settings ask for it; keys are left out always.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import logging.handlers
import queue
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import structlog

from mybro import events as ev
from mybro.config import data_dir
from mybro.events import Envelope
from mybro.server.stream import EventStream
from mybro.wire import to_wire

KEPT_DAYS = 7
RING = 5000
WAITING = 10_000
"""Lines that may wait for the disk; what is more is counted and dropped."""
LEVELS = ("debug", "info", "warning", "error", "critical")
HIDDEN = "[left out]"

_KEYS = re.compile(
    r"sk-[\w-]{8,}|Bearer\s+[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|gh[pousr]_\w{16,}|AKIA[0-9A-Z]{16}"
    r"|xox[a-z]-[\w-]+|hf_\w{16,}|AIza[\w-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
    r"|(?:token|api[_-]?key|secret|password|passwd|authorization)[\"']?\s*[=:]\s*[\"']?[^\s\"'&,}]+",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = frozenset(
    {"event", "level", "logger", "timestamp", "kind", "reason", "stage", "code", "risk", "by", "model",
     "language", "phase", "action", "source", "id", "type", "timer", "path", "method"}
)  # fmt: skip
"""Fields whose text is never something that a person said."""

Fields = MutableMapping[str, Any]


class LogRing(EventStream):
    """The newest lines, numbered, for any number of watchers."""

    def __init__(self) -> None:
        super().__init__(events=RING)
        self.dropped = 0

    def add(self, line: str) -> None:
        """One more line, from the event loop's own thread."""
        self.put(self.last + 1, line)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines to show."""

    level: str = "debug"
    """This one and graver ones."""
    logger: str = ""
    """Names that begin so."""
    contains: str = ""
    """Case is ignored."""

    def passes(self, line: str) -> bool:
        if self.contains and self.contains.casefold() not in line.casefold():
            return False
        record = json.loads(line)
        level = record.get("level", "info")
        grave = level in LEVELS and LEVELS.index(level) >= LEVELS.index(self.level)
        return grave and str(record.get("logger", "")).startswith(self.logger)


class _Handler(logging.handlers.QueueHandler):
    """Renders where the record arises, so that nothing but a line waits."""

    def __init__(self, waiting: queue.Queue[Any], formatter: logging.Formatter, ring: LogRing) -> None:
        super().__init__(waiting)
        self.setFormatter(formatter)
        self._ring = ring
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        line = self.format(record)
        if threading.get_ident() == self._thread:
            self._ring.add(line)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._ring.add, line)
        return logging.makeLogRecord({"msg": line, "levelno": record.levelno, "levelname": record.levelname})

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._ring.dropped += 1


class DailyFile(logging.handlers.TimedRotatingFileHandler):
    """Rotates at midnight, compresses what is over, keeps seven."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, when="midnight", backupCount=KEPT_DAYS, encoding="utf-8")
        self.namer = lambda name: f"{name}.gz"

    def _open(self) -> Any:
        Path(self.baseFilename).touch(mode=0o600, exist_ok=True)
        return super()._open()

    def rotate(self, source: str, dest: str) -> None:
        with Path(source).open("rb") as plain, gzip.open(dest, "wb") as packed:
            shutil.copyfileobj(plain, packed)
        Path(dest).chmod(0o600)
        Path(source).unlink()


@contextlib.contextmanager
def logging_to(folder: Path | None = None, *, transcripts: bool = False) -> Iterator[LogRing]:
    """Everything that mybro logs goes to the folder (default: in the data folder) and to the ring.

    In an event loop, to whose watchers the ring belongs.
    """
    ring = LogRing()
    waiting: queue.Queue[Any] = queue.Queue(WAITING)
    file = DailyFile((folder or data_dir() / "logs") / "mybro.jsonl")
    listener = logging.handlers.QueueListener(waiting, file)
    handler = _Handler(waiting, formatter(transcripts=transcripts), ring)
    loggers = [logging.getLogger(name) for name in ("mybro", "uvicorn")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger, level in zip(loggers, (logging.INFO, logging.WARNING), strict=True):
        logger.addHandler(handler)
        logger.setLevel(level)
    # What a client does wrong is no news for the person's terminal.
    loggers[1].propagate = False
    listener.start()
    try:
        yield ring
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        listener.stop()
        file.close()
        ring.end()


def formatter(*, transcripts: bool) -> logging.Formatter:
    """Records as JSON lines, without keys, and without what was said unless `transcripts`."""
    processors: list[Any] = [_without_message_of_faults, _Redact(transcripts)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *processors,
            structlog.processors.JSONRenderer(),
        ],
    )


class EventLog:
    """A pipeline's watcher: what happened, in the log."""

    def __init__(self) -> None:
        self._log = logging.getLogger("mybro.session")

    def watch(self, envelope: Envelope) -> None:
        if isinstance(envelope.event, ev.LevelMeasured):
            return
        wire = to_wire(envelope)
        level = logging.WARNING if isinstance(envelope.event, ev.StageFailed | ev.JobFailed) else logging.INFO
        name = wire.pop("event")
        self._log.log(level, "%s", name, extra={"fields": wire})


def _without_message_of_faults(_logger: Any, _method: str, fields: Fields) -> Fields:
    """A fault is told by its kind and place: its text may hold what somebody said."""
    found = fields.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found if isinstance(found, BaseException) else None
    if found is True:
        error = sys.exc_info()[1]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        fields["fault"] = {
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        }
    return fields


class _Redact:
    """Takes out what must not be in a log."""

    def __init__(self, transcripts: bool) -> None:
        self._transcripts = transcripts

    def __call__(self, _logger: Any, _method: str, fields: Fields) -> Fields:
        own = fields.pop("fields", None)
        clean: Fields = {name: self._without_keys(value) for name, value in fields.items()}
        if own is not None:
            clean["fields"] = {name: self._clean(name, value) for name, value in own.items()}
        return clean

    def _clean(self, name: str, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._clean(key, item) for key, item in value.items()}
            case list() | tuple():
                return [self._clean(name, item) for item in value]
            case Enum():
                return value.value
            case str() if value and not self._transcripts and name not in _PLAIN:
                return HIDDEN
            case _:
                return self._without_keys(value)

    def _without_keys(self, value: Any) -> Any:
        match value:
            case str():
                return _KEYS.sub(HIDDEN, value)
            case dict():
                return {key: self._without_keys(item) for key, item in value.items()}
            case list() | tuple():
                return [self._without_keys(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return type(value).__name__
