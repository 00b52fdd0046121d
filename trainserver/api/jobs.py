"""/v1/fine_tuning/jobs"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from trainserver import events as job_events
from trainserver import files, jobs, models
from trainserver.api import objects
from trainserver.api.job_body import Create, Integration
from trainserver.api.state import Parts, Who, may_change
from trainserver.errors import BadRequest
from trainserver.ids import new_id
from trainserver.keys import Access

router = APIRouter(prefix="/v1/fine_tuning/jobs", dependencies=[Depends(may_change)])
Limit = Annotated[int, Query(ge=1, le=1000)]
PAUSE_SECONDS = 10
LOOK_SECONDS = 0.1


def _base(parts: Parts, connection: sqlite3.Connection, project: str, model: str) -> str:
    if model in parts.config.bases:
        return model
    tuned = models.find(connection, model, project)
    if tuned is None or tuned.base not in parts.config.bases:
        known = ", ".join(parts.config.bases)
        raise BadRequest(
            f"Model {model} is not available for fine-tuning or does not exist. Bases here: {known}.",
            param="model",
            code="model_not_available",
        )
    return tuned.base


def _check_file(connection: sqlite3.Connection, project: str, file_id: str, param: str) -> None:
    record = files.find(connection, file_id, project)
    if record is None or record.purpose != "fine-tune":
        raise BadRequest(f"invalid {param}: {file_id}", param=param, code="file_not_found")


def _integrations(parts: Parts, asked: list[Integration] | None) -> list[dict[str, Any]] | None:
    if asked and parts.wandb_key is None:
        raise BadRequest(
            "This server has no Weights & Biases key, so it cannot log there: start it with WANDB_API_KEY"
            " set and the package wandb installed, or leave 'integrations' out.",
            param="integrations",
            code="wandb_not_configured",
        )
    return [one.model_dump(exclude_none=True) for one in asked] if asked else None


def _new(parts: Parts, connection: sqlite3.Connection, project: str, body: Create) -> jobs.Job:
    method, asked = body.asked()
    base = _base(parts, connection, project, body.model)
    _check_file(connection, project, body.training_file, "training_file")
    if body.validation_file is not None:
        _check_file(connection, project, body.validation_file, "validation_file")
    return jobs.Job(
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
        project=project,
        method=method,
        integrations=_integrations(parts, body.integrations),
    )


@router.post("")
async def create(parts: Parts, who: Who, body: Create) -> dict[str, Any]:
    with parts.database.write() as connection:
        job = _new(parts, connection, who.project, body)
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
    parts: Parts,
    who: Who,
    request: Request,
    limit: Limit = 20,
    after: str | None = None,
    metadata: str | None = None,
) -> dict[str, Any]:
    if metadata not in (None, "null"):
        raise BadRequest("'metadata' is metadata[key]=value, or null for jobs without any.", param="metadata")
    with parts.database.read() as connection:
        found, more = jobs.listed(
            connection,
            who.project,
            limit=limit,
            after=after,
            metadata=_metadata(request),
            without_metadata=metadata == "null",
        )
    return objects.page([objects.job(record) for record in found], more)


@router.get("/{job_id}")
def retrieve(parts: Parts, who: Who, job_id: str) -> dict[str, Any]:
    return objects.job(_read(parts, who, job_id))


def _read(parts: Parts, who: Access, job_id: str) -> jobs.Job:
    with parts.database.read() as connection:
        return jobs.get(connection, job_id, who.project)


@router.post("/{job_id}/cancel")
async def cancel(parts: Parts, who: Who, job_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        jobs.get(connection, job_id, who.project)
        job = jobs.cancel(connection, job_id)
    parts.queue.cancel(job_id)
    return objects.job(job)


@router.post("/{job_id}/pause")
async def pause(parts: Parts, who: Who, job_id: str) -> dict[str, Any]:
    """Pause a job; one that trains stops after the step it is in, which is waited for within reason."""
    with parts.database.write() as connection:
        jobs.get(connection, job_id, who.project)
        job = jobs.ask_pause(connection, job_id)
    deadline = time.monotonic() + PAUSE_SECONDS
    while job.status == "running" and job.wish == "pause" and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        job = await asyncio.to_thread(_read, parts, who, job_id)
    return objects.job(job)


@router.post("/{job_id}/resume")
async def resume(parts: Parts, who: Who, job_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        jobs.get(connection, job_id, who.project)
        job = jobs.resume(connection, job_id)
    parts.queue.wake()
    return objects.job(job)


@router.get("/{job_id}/events")
def events(
    parts: Parts, who: Who, job_id: str, limit: Limit = 20, after: str | None = None
) -> dict[str, Any]:
    with parts.database.read() as connection:
        jobs.get(connection, job_id, who.project)
        found, more = job_events.listed(connection, job_id, limit=limit, after=after)
    return objects.page([objects.event(record) for record in found], more)


@router.get("/{job_id}/checkpoints")
def checkpoints(
    parts: Parts, who: Who, job_id: str, limit: Limit = 10, after: str | None = None
) -> dict[str, Any]:
    with parts.database.read() as connection:
        jobs.get(connection, job_id, who.project)
        found, more = models.checkpoints(connection, job_id, limit=limit, after=after)
    return objects.page_with_ends([objects.checkpoint(record) for record in found], more)
