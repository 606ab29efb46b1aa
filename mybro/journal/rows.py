"""What every function that writes rows needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, inspect
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel


@dataclass(frozen=True, slots=True)
class Here:
    """Where rows are written."""

    connection: AsyncConnection
    """The writer's, in a transaction."""
    session: str
    repo: str
    """The repository that what is said now is about."""


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model."""
    return cast(Table, inspect(model).local_table)


async def add(here: Here, row: SQLModel) -> None:
    """Insert a row; the database gives it its id. A job or question that is there already stands."""
    statement = insert(type(row)).on_conflict_do_nothing()
    await here.connection.execute(statement, row.model_dump(exclude={"id"}))
