"""What the machine is doing."""

from __future__ import annotations

from typing import Any, NamedTuple

from mybro.native import engine


class Load(NamedTuple):
    """One look; what the machine does not tell is None."""

    cpu: float | None
    """The share of its time that it worked since the look before, 0 to 1."""
    memory_total: int
    memory_available: int
    """Bytes."""
    load: tuple[float, float, float]
    temperature: float | None
    """The hottest sensor, in degrees Celsius."""
    battery: float | None
    """0 to 100."""
    charging: bool | None
    gpu: float | None
    """0 to 100."""


class Monitor:
    """Looks at the machine, by the engine or by psutil."""

    def __init__(self) -> None:
        native = engine()
        self._native: Any = native.Monitor() if native else None
        if not native:
            import psutil

            self._psutil = psutil
            psutil.cpu_percent()

    def read(self) -> Load:
        """A look, in microseconds with the engine."""
        if self._native:
            told = self._native.read()
            return Load(**{**told, "load": tuple(told["load"])})
        psutil = self._psutil
        memory = psutil.virtual_memory()
        sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
        degrees = [each.current for group in sensors.values() for each in group if each.current is not None]
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        return Load(
            psutil.cpu_percent() / 100, memory.total, memory.available, psutil.getloadavg(),
            max(degrees, default=None), battery.percent if battery else None,
            battery.power_plugged if battery else None, None,
        )  # fmt: skip
