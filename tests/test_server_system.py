"""The machine, as the page and Prometheus see it."""

from __future__ import annotations

import psutil
import pytest

from mybro.ops.system import machine
from tests.server_scene import Scene, bearer, code, get, scene

__all__ = ["scene"]
pytestmark = pytest.mark.integration


async def test_the_page_is_told_of_the_machine(scene: Scene) -> None:
    told = await scene.call("GET", "/v1/system")
    assert told["machine"]["system"] == machine().system
    assert told["load"]["memory_total"] == psutil.virtual_memory().total
    assert 0 <= told["load"]["cpu_percent"] <= 100
    assert len(told["load"]["load_average"]) == 3
    assert 0 < told["load"]["disk_free"] <= told["load"]["disk_total"]
    # Asked again at once, nobody has looked again.
    assert (await scene.call("GET", "/v1/system"))["load"] == told["load"]


async def test_it_is_for_those_who_may_read(scene: Scene) -> None:
    assert (await get(scene, "/v1/system")).status_code == 401
    token = await scene.token("read")
    assert (await get(scene, "/v1/system", authorization=bearer(token))).status_code == 200
    assert code(await get(scene, "/v1/system", authorization="Bearer nonsense"))[0] == 401


async def test_prometheus_reads_its_gauges(scene: Scene) -> None:
    answer = await scene.http.get("/metrics")
    gauges = dict(
        line.rsplit(" ", 1) for line in answer.text.splitlines() if line.startswith("mybro_machine_")
    )
    assert float(gauges["mybro_machine_memory_bytes"]) == psutil.virtual_memory().total
    assert 0 <= float(gauges["mybro_machine_cpu_ratio"]) <= 1
    assert float(gauges["mybro_machine_disk_free_bytes"]) > 0
