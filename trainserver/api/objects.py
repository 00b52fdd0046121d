"""Records as the objects OpenAI's API answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trainserver.events import Event
from trainserver.files import File
from trainserver.ids import OWNER
from trainserver.jobs import Job
from trainserver.models import Checkpoint
from trainserver.permissions import Permission
from trainserver.uploads import Part, Upload

Object = dict[str, Any]


def page(objects: Sequence[Object], has_more: bool) -> Object:
    """A list object."""
    return {"object": "list", "data": list(objects), "has_more": has_more}


def page_with_ends(objects: Sequence[Object], has_more: bool) -> Object:
    """A list object that names its first and last id; OpenAI's lists of files and checkpoints do."""
    ends = [objects[place]["id"] if objects else None for place in (0, -1)]
    return {**page(objects, has_more), "first_id": ends[0], "last_id": ends[1]}


def file(record: File) -> Object:
    return {
        "object": "file",
        "id": record.id,
        "bytes": record.bytes,
        "created_at": record.created_at,
        "filename": record.filename,
        "purpose": record.purpose,
        "status": "processed",
        "expires_at": record.expires_at,
        "status_details": None,
    }


def upload(record: Upload, result: File | None) -> Object:
    return {
        "object": "upload",
        "id": record.id,
        "bytes": record.bytes,
        "created_at": record.created_at,
        "filename": record.filename,
        "purpose": record.purpose,
        "status": record.state,
        "expires_at": record.expires_at,
        "file": None if result is None else file(result),
    }


def part(record: Part) -> Object:
    return {
        "object": "upload.part",
        "id": record.id,
        "created_at": record.created_at,
        "upload_id": record.upload_id,
    }


def permission(record: Permission) -> Object:
    return {
        "object": "checkpoint.permission",
        "id": record.id,
        "created_at": record.created_at,
        "project_id": record.project,
    }


def job(record: Job) -> Object:
    chosen = {key: value for key, value in asdict(record.hyperparameters).items() if value is not None}
    supervised = record.method == "supervised"
    return {
        "object": "fine_tuning.job",
        "id": record.id,
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "model": record.model,
        "fine_tuned_model": record.fine_tuned_model,
        "organization_id": OWNER,
        "status": record.status,
        "hyperparameters": chosen if supervised else None,
        "method": {"type": record.method, record.method: {"hyperparameters": chosen}},
        "training_file": record.training_file,
        "validation_file": record.validation_file,
        "result_files": [] if record.result_file is None else [record.result_file],
        "trained_tokens": record.trained_tokens,
        "error": record.error or {},
        "user_provided_suffix": record.suffix,
        "seed": record.seed,
        "estimated_finish": record.estimated_finish,
        "integrations": record.integrations or [],
        "metadata": record.metadata,
        "usage_metrics": None,
        "shared_with_openai": False,
    }


def event(record: Event) -> Object:
    return {
        "object": "fine_tuning.job.event",
        "id": record.id,
        "created_at": record.created_at,
        "level": record.level,
        "message": record.message,
        "type": record.type,
        "data": record.data or {},
    }


def checkpoint(record: Checkpoint) -> Object:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": record.id,
        "created_at": record.created_at,
        "fine_tuned_model_checkpoint": record.model,
        "fine_tuning_job_id": record.job_id,
        "metrics": record.metrics,
        "step_number": record.step,
    }
