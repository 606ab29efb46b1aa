"""The machine under the session: what it is, and how hard it works."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mybro.ops.system import EVERY_S, machine
from mybro.server.context import Context, scoped


class MachineBody(BaseModel):
    """What does not change; empty where it is not told."""

    system: str
    processor: str
    cores: int
    gpu: str
    architecture: str
    python: str
    monitor: str = Field(description="who looks: the Rust engine, or psutil")


class LoadBody(BaseModel):
    """How hard it works; null where it is not told."""

    cpu_percent: float | None = Field(description="of all cores, since the look before")
    gpu_percent: float | None
    memory_total: int = Field(description="bytes, as all sizes here")
    memory_available: int
    load_average: list[float] = Field(description="over 1, 5 and 15 minutes")
    temperature_celsius: float | None = Field(description="of the hottest sensor")
    battery_percent: float | None
    charging: bool | None
    disk_total: int = Field(description="of the disk that holds mybro's data")
    disk_free: int


class SystemBody(BaseModel):
    """The machine under the session."""

    machine: MachineBody
    load: LoadBody
    every_s: float = Field(description="asking again sooner gives the same answer")


def router(context: Context) -> APIRouter:
    """`/v1/system`; scope `read`."""
    routes = APIRouter(route_class=scoped("read"), tags=["server"])

    @routes.get("/v1/system")
    async def system() -> SystemBody:
        """What the machine is, and how hard it works."""
        known = await asyncio.to_thread(machine)
        look = context.measures.system.look()
        load = look.load
        return SystemBody(
            machine=MachineBody.model_validate(known, from_attributes=True),
            load=LoadBody(
                cpu_percent=None if load.cpu is None else round(100 * load.cpu, 1), gpu_percent=load.gpu,
                memory_total=load.memory_total, memory_available=load.memory_available,
                load_average=list(load.load), temperature_celsius=load.temperature,
                battery_percent=load.battery, charging=load.charging,
                disk_total=look.disk_total, disk_free=look.disk_free,
            ),
            every_s=EVERY_S,
        )  # fmt: skip

    return routes
