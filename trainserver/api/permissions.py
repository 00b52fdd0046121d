"""/v1/fine_tuning/checkpoints/…/permissions: sharing a checkpoint with other projects (admin keys only)."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from trainserver import models, permissions
from trainserver.api import objects
from trainserver.api.models import missing
from trainserver.api.state import Parts, may_share

router = APIRouter(
    prefix="/v1/fine_tuning/checkpoints/{checkpoint}/permissions", dependencies=[Depends(may_share)]
)


class Create(BaseModel):
    model_config = ConfigDict(extra="forbid")

    project_ids: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


def _check(connection: sqlite3.Connection, name: str) -> None:
    if models.find(connection, name) is None:
        raise missing(name)


@router.post("")
def create(parts: Parts, checkpoint: str, body: Create) -> dict[str, Any]:
    with parts.database.write() as connection:
        _check(connection, checkpoint)
        granted = [permissions.grant(connection, checkpoint, project) for project in body.project_ids]
    return objects.page_with_ends([objects.permission(one) for one in granted], has_more=False)


@router.get("")
def listed(
    parts: Parts,
    checkpoint: str,
    project_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    after: str | None = None,
    order: Literal["ascending", "descending"] = "descending",
) -> dict[str, Any]:
    with parts.database.read() as connection:
        _check(connection, checkpoint)
        found, more = permissions.listed(
            connection,
            checkpoint,
            project=project_id,
            limit=limit,
            after=after,
            newest_first=order == "descending",
        )
    return objects.page_with_ends([objects.permission(one) for one in found], more)


@router.delete("/{permission_id}")
def delete(parts: Parts, checkpoint: str, permission_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        _check(connection, checkpoint)
        permissions.revoke(connection, checkpoint, permission_id)
    return {"id": permission_id, "object": "checkpoint.permission", "deleted": True}
