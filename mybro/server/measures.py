"""Latency by stage, from the events; and everything that Prometheus asks for."""

from __future__ import annotations

from collections import deque
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mybro import events as ev
from mybro.events import SAMPLE_RATE, Envelope
from mybro.ops.system import System
from mybro.server.gauges import MachineGauges

KEPT = 500
"""Newest measurements of each stage."""
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Measures:
    """A pipeline's watcher, and the gate's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._stages: dict[str, deque[tuple[float, float]]] = {}
        self._ended: dict[int, float] = {}
        self._understood: dict[int, float] = {}
        self._events = Counter("mybro_events", "Events of the session", ["event"], registry=self.registry)
        self._seconds = Histogram(
            "mybro_stage_seconds", "Time by stage", ["stage"], buckets=_BUCKETS, registry=self.registry
        )
        self._requests = Counter(
            "mybro_http_requests", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self._http = Histogram(
            "mybro_http_seconds", "Time of requests", buckets=_BUCKETS, registry=self.registry
        )
        self._faults = Counter("mybro_faults", "Faults by stage", ["stage"], registry=self.registry)
        self._cost = Counter("mybro_cost_usd", "What jobs cost", registry=self.registry)
        self.watchers = Gauge("mybro_event_streams", "Open streams of events", registry=self.registry)
        self.system = System()
        self.registry.register(MachineGauges(self.system))
        self.audio = Gauge("mybro_audio_streams", "Open streams of sound", registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._http.observe(seconds)

    def watch(self, envelope: Envelope) -> None:
        """One event."""
        event = envelope.event
        self._events.labels(type(event).__name__).inc()
        match event:
            case ev.SpeechEnded(turn=turn, utterance=utterance):
                _keep(self._ended, turn, envelope.at)
                self._note(
                    "endpoint", envelope.at, (utterance.audio.end - utterance.speech_end) / SAMPLE_RATE
                )
            case ev.Transcript(turn=turn, final=True, processing_ms=ms) if event.model != "typed":
                self._note("recognise", envelope.at, ms / 1e3)
                if (ended := self._ended.pop(turn, None)) is not None:
                    self._note("transcript", envelope.at, envelope.at - ended)
            case ev.Understood(turn=turn, processing_ms=ms):
                self._note("understand", envelope.at, ms / 1e3)
                _keep(self._understood, turn, envelope.at)
            case ev.JobStarted(turn=turn):
                if (understood := self._understood.pop(turn, None)) is not None:
                    self._note("start", envelope.at, envelope.at - understood)
            case ev.JobFinished(outcome=outcome):
                self._cost.inc(outcome.cost_usd)
            case ev.StageFailed(stage=stage):
                self._faults.labels(stage).inc()

    def latency(self) -> dict[str, dict[str, Any]]:
        """For each stage: p50_ms, p95_ms, count, and the newest as pairs of session seconds and ms."""
        found = {}
        for stage, kept in self._stages.items():
            ordered = sorted(ms for _, ms in kept)
            found[stage] = {
                "p50_ms": ordered[len(ordered) // 2],
                "p95_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
                "count": len(ordered),
                "recent": [list(pair) for pair in list(kept)[-100:]],
            }
        return found

    def page(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self.registry)

    def _note(self, stage: str, at: float, seconds: float) -> None:
        self._seconds.labels(stage).observe(max(0.0, seconds))
        kept = self._stages.setdefault(stage, deque(maxlen=KEPT))
        kept.append((round(at, 3), round(seconds * 1e3, 2)))


def _keep(known: dict[int, float], turn: int, at: float) -> None:
    known[turn] = at
    if len(known) > KEPT:
        known.pop(next(iter(known)))
