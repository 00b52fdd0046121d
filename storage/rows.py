"""Between records and rows: the only module that touches sqlite-utils' loosely typed surface."""

# sqlite-utils types its rows as plain ``dict``: everything that leaves this module is typed again.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar, cast

from sqlite_utils import Database

R = TypeVar("R")
Params = Sequence[Any]


@cache
def _json_fields(cls: type) -> frozenset[str]:
    names: set[str] = set()
    for f in fields(cls):
        if str(f.type).startswith(("Json", "list[", "dict[")):
            names.add(f.name)
    return frozenset(names)


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def to_row(record: object) -> dict[str, Any]:
    """The record as a row: JSON fields become text."""
    cls = type(record)
    packed = _json_fields(cls)
    row: dict[str, Any] = {}
    for name in _names(cls):
        value = getattr(record, name)
        row[name] = json.dumps(value, ensure_ascii=False) if name in packed else value
    return row


def from_row(cls: type[R], row: dict[str, Any]) -> R:
    """The row as a record of ``cls``; columns the record does not know are ignored."""
    packed = _json_fields(cls)
    values: dict[str, Any] = {}
    for f in fields(cast(Any, cls)):
        if f.name not in row:
            continue
        value = row[f.name]
        if f.name in packed:
            value = json.loads(value or "null")
            if value is None and f.default_factory is not MISSING:
                value = f.default_factory()
        values[f.name] = value
    return cls(**values)


def select(db: Database, cls: type[R], sql: str, params: Params = ()) -> list[R]:
    """All rows of a query as records."""
    return [from_row(cls, row) for row in db.query(sql, list(params))]


def first(db: Database, cls: type[R], sql: str, params: Params = ()) -> R | None:
    """The first row of a query as a record, or ``None``."""
    found = select(db, cls, sql, params)
    return found[0] if found else None


def scalar(db: Database, sql: str, params: Params = ()) -> Any:
    """The first column of the first row, or ``None``."""
    row = db.conn.execute(sql, list(params)).fetchone()
    return row[0] if row else None


def pairs(db: Database, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """All rows of a query as plain tuples."""
    return [tuple(row) for row in db.conn.execute(sql, list(params)).fetchall()]


def run(db: Database, sql: str, params: Params = ()) -> int:
    """Runs one statement and answers how many rows it changed."""
    return db.conn.execute(sql, list(params)).rowcount


def insert(
    db: Database, table: str, record: object, *, drop: tuple[str, ...] = (), ignore: bool = False
) -> int:
    """Inserts a record and answers its rowid; with ``ignore`` a duplicate key inserts nothing: 0."""
    row = {k: v for k, v in to_row(record).items() if k not in drop}
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    verb = "INSERT OR IGNORE" if ignore else "INSERT"
    cursor = db.conn.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", list(row.values()))
    return int(cursor.lastrowid or 0) if cursor.rowcount else 0


def update(db: Database, table: str, keys: dict[str, Any], changes: dict[str, Any]) -> int:
    """Changes the rows with these keys; dict and list values are stored as JSON. Answers how many."""
    packed = {
        k: json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for k, v in changes.items()
    }
    sets = ", ".join(f"{k} = ?" for k in packed)
    where = " AND ".join(f"{k} = ?" for k in keys)
    return run(db, f"UPDATE {table} SET {sets} WHERE {where}", [*packed.values(), *keys.values()])
