"""/v1/fine_tuning/jobs"""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from trainserver import files, jobs, models
from trainserver.api import objects
from trainserver.api.state import Parts
from trainserver.errors import BadRequest
from trainserver.hyperparameters import Asked, Auto
from trainserver.ids import new_id

router = APIRouter(prefix="/v1/fine_tuning/jobs")
Limit = Annotated[int, Query(ge=1, le=1000)]
Whole = Annotated[int, Field(strict=True)]


class Hyperparameters(BaseModel):
    """The limits are those of OpenAI's API."""

    n_epochs: Auto | Annotated[Whole, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[Whole, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, le=1000)] = "auto"


class Supervised(BaseModel):
    hyperparameters: Hyperparameters = Hyperparameters()


class Method(BaseModel):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None


class Create(BaseModel):
    """The body of a create call."""

    model_config = ConfigDict(extra="forbid")

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    integrations: list[dict[str, Any]] | None = None


def _asked(body: Create) -> Asked:
    if body.method is not None and body.method.type != "supervised":
        raise BadRequest(
            f"Method {body.method.type!r} is not supported by this server; use 'supervised'.",
            param="method",
            code="unsupported_method",
        )
    if body.integrations:
        raise BadRequest("Integrations are not supported by this server.", param="integrations")
    chosen = body.hyperparameters or Hyperparameters()
    if body.method is not None and body.method.supervised is not None:
        chosen = body.method.supervised.hyperparameters
    return Asked(**chosen.model_dump())


def _base(parts: Parts, connection: sqlite3.Connection, model: str) -> str:
    if model in parts.config.bases:
        return model
    tuned = models.find(connection, model)
    if tuned is None or tuned.base not in parts.config.bases:
        known = ", ".join(parts.config.bases)
        raise BadRequest(
            f"Model {model} is not available for fine-tuning or does not exist. Bases here: {known}.",
            param="model",
            code="model_not_available",
        )
    return tuned.base


def _check_file(connection: sqlite3.Connection, file_id: str, param: str) -> None:
    record = files.find(connection, file_id)
    if record is None or record.purpose != "fine-tune":
        raise BadRequest(f"invalid {param}: {file_id}", param=param, code="file_not_found")


@router.post("")
async def create(parts: Parts, body: Create) -> dict[str, Any]:
    asked = _asked(body)
    with parts.database.write() as connection:
        base = _base(parts, connection, body.model)
        _check_file(connection, body.training_file, "training_file")
        if body.validation_file is not None:
            _check_file(connection, body.validation_file, "validation_file")
        job = jobs.Job(
            id=new_id("ftjob"),
            created_at=int(time.time()),
            status="validating_files",
            model=body.model,
            base=base,
            training_file=body.training_file,
            validation_file=body.validation_file,
            suffix=body.suffix,
            seed=random.randrange(2**31) if body.seed is None else body.seed,  # noqa: S311 - a seed, no secret
            metadata=body.metadata,
            hyperparameters=asked,
        )
        jobs.add(connection, job)
    parts.queue.wake()
    return objects.job(job)


def _metadata(request: Request) -> dict[str, str]:
    """The pairs of `metadata[key]=value` in the query."""
    pairs: dict[str, str] = {}
    for name, value in request.query_params.items():
        if name.startswith("metadata[") and name.endswith("]"):
            pairs[name[len("metadata[") : -1]] = value
    return pairs


@router.get("")
def listed(
    parts: Parts, request: Request, limit: Limit = 20, after: str | None = None, metadata: str | None = None
) -> dict[str, Any]:
    with parts.database.read() as connection:
        found, more = jobs.listed(
            connection,
            limit=limit,
            after=after,
            metadata=_metadata(request),
            without_metadata=metadata == "null",
        )
    return objects.page([objects.job(record) for record in found], more)


@router.get("/{job_id}")
def retrieve(parts: Parts, job_id: str) -> dict[str, Any]:
    with parts.database.read() as connection:
        return objects.job(jobs.get(connection, job_id))


@router.post("/{job_id}/cancel")
async def cancel(parts: Parts, job_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        job = jobs.cancel(connection, job_id)
    parts.queue.cancel(job_id)
    return objects.job(job)


@router.get("/{job_id}/events")
def events(parts: Parts, job_id: str, limit: Limit = 20, after: str | None = None) -> dict[str, Any]:
    from trainserver import events as job_events

    with parts.database.read() as connection:
        jobs.get(connection, job_id)
        found, more = job_events.listed(connection, job_id, limit=limit, after=after)
    return objects.page([objects.event(record) for record in found], more)


@router.get("/{job_id}/checkpoints")
def checkpoints(parts: Parts, job_id: str, limit: Limit = 10, after: str | None = None) -> dict[str, Any]:
    with parts.database.read() as connection:
        jobs.get(connection, job_id)
        found, more = models.checkpoints(connection, job_id, limit=limit, after=after)
    return objects.page_with_ends([objects.checkpoint(record) for record in found], more)
