"""Walking a table in OpenAI's cursor style."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from trainserver.errors import NotFound


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page and whether more follow in the same direction."""

    rows: list[sqlite3.Row]
    has_more: bool


def page(
    connection: sqlite3.Connection,
    table: str,
    *,
    limit: int,
    after: str | None,
    where: str = "1",
    values: tuple[object, ...] = (),
    newest_first: bool = True,
) -> Page:
    """At most `limit` rows of `table` that come after the id `after`.

    `table` and `where` are written in this program, never taken from a request.

    Raises `NotFound` when `after` names no row among them.
    """
    order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
    if after is not None:
        cursor = connection.execute(
            f"SELECT seq FROM {table} WHERE ({where}) AND id = ?", (*values, after)
        ).fetchone()
        if cursor is None:
            raise NotFound(f"No object with id {after!r} to page after.", param="after")
        where, values = f"({where}) AND seq {sign} ?", (*values, cursor["seq"])
    rows = connection.execute(
        f"SELECT * FROM {table} WHERE {where} ORDER BY seq {order} LIMIT ?", (*values, limit + 1)
    ).fetchall()
    return Page(rows[:limit], len(rows) > limit)
