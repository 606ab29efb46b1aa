"""What the doctor finds in the repository."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mybro.errors import ServerError
from mybro.server.api.assistant import settle
from mybro.server.context import Context, have, scoped
from mybro.server.shapes import Checkup, Task
from mybro.server.tasks import PATIENCE_S, Call


def reading(context: Context) -> APIRouter:
    """What the scope `read` may."""
    routes = APIRouter(route_class=scoped("read"), tags=["doctor"])

    @routes.get("/v1/doctor")
    async def doctor() -> Checkup:
        """What it found last, numbered as it is spoken of: "fix number two"."""
        found = await have(context.services.health, "doctor").last()
        if found is None:
            raise ServerError("no_report", "the doctor has not looked yet", hint="POST /v1/doctor")
        return Checkup.model_validate(found)

    return routes


def acting(context: Context) -> APIRouter:
    """What the scope `act` may."""
    routes = APIRouter(route_class=scoped("act"), tags=["doctor"])

    @routes.post(
        "/v1/doctor", responses={202: {"model": Task, "description": "It goes on: ask for the task"}}
    )
    async def examine(response: Response) -> Task:
        """Have it look; the task's result is what it finds. A stop ends it."""
        health = have(context.services.health, "doctor")

        async def do() -> Checkup:
            return Checkup.model_validate(await health.examine())

        elsewhere = Call("examine", lambda: {"repo": context.services.facts["repo"]})
        return settle(await context.tasks.run("doctor", do(), PATIENCE_S, elsewhere), response)

    return routes
