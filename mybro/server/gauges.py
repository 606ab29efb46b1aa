"""The machine's gauges for Prometheus, looked at when it asks."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mybro.ops.system import System


class MachineGauges(Collector):
    """What the machine does not tell has no gauge."""

    def __init__(self, system: System) -> None:
        self._system = system

    def collect(self) -> Iterator[Metric]:
        look = self._system.look()
        load = look.load
        told: tuple[tuple[str, str, float | None], ...] = (
            ("cpu_ratio", "Share of its time that the processor works", load.cpu),
            ("gpu_ratio", "The same of the GPU", None if load.gpu is None else load.gpu / 100),
            ("memory_bytes", "Memory", load.memory_total),
            ("memory_available_bytes", "Memory that is available", load.memory_available),
            ("load1", "Load average over a minute", load.load[0]),
            ("temperature_celsius", "The hottest sensor", load.temperature),
            ("battery_ratio", "Charge", None if load.battery is None else load.battery / 100),
            ("disk_bytes", "The disk that holds the data", look.disk_total),
            ("disk_free_bytes", "What is free on it", look.disk_free),
        )
        for name, help_text, value in told:
            if value is not None:
                yield GaugeMetricFamily(f"mybro_machine_{name}", help_text, value)

    def describe(self) -> Iterator[Metric]:
        # Registering would look at the machine otherwise.
        return iter(())
