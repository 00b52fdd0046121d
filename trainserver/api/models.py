"""/v1/models, with what can be trained here under the extension key `x_fine_tuning`.

service                 "trainserver"
fine_tunable            whether a job may start from this model
methods                 training methods
can_pause               whether a running job can be paused and resumed
filters_metadata        whether the list of jobs can be asked for some metadata
integrations            services that figures of a job can be sent to
max_tokens_per_example  longer examples are cut there
max_file_bytes          larger files are refused in one piece
max_upload_bytes        larger files are refused in parts
takes_images            whether rows may have pictures
suffix_max_length, suffix_pattern
seconds_per_1k_tokens   measured over the last trainings of this base on this machine, or null
memory_bytes            peak of a training process: measured, before the first an estimate, or null
tokenizer               whose tokens the limits and `trained_tokens` count
price_per_1m_tokens     0.0: the machine is yours
parent                  what a fine-tuned model was trained from; null for a base
"""

from __future__ import annotations

import shutil
import sqlite3
from typing import Any

from fastapi import APIRouter, Depends

from trainserver import bases, memory, models
from trainserver.api.limits import FILE_BYTES, UPLOAD_BYTES
from trainserver.api.state import Parts, Who, may_change
from trainserver.errors import NotFound
from trainserver.hyperparameters import METHODS
from trainserver.ids import OWNER

router = APIRouter(prefix="/v1/models")


def _extension(parts: Parts, connection: sqlite3.Connection, base: str, parent: str | None) -> dict[str, Any]:
    here = base in parts.config.bases
    measured = models.measured(connection, base)
    weights = bases.parameter_bytes(parts.config.bases[base]) if here else 0
    estimate = memory.training(parts.config.bases[base], parts.config.max_tokens) if here else None
    return {
        "service": "trainserver",
        "fine_tunable": here and weights > 0,
        "methods": list(METHODS),
        "can_pause": True,
        "filters_metadata": True,
        "responses": True,
        "integrations": ["wandb"] if parts.wandb_key else [],
        "max_tokens_per_example": parts.config.max_tokens,
        "max_file_bytes": FILE_BYTES,
        "max_upload_bytes": UPLOAD_BYTES,
        "takes_images": False,
        "suffix_max_length": 64,
        "suffix_pattern": "^[A-Za-z0-9._-]+$",
        "seconds_per_1k_tokens": None if measured is None else round(measured[0], 3),
        "memory_bytes": estimate if measured is None else measured[1],
        "tokenizer": base,
        "price_per_1m_tokens": 0.0,
        "parent": parent,
    }


def _base_object(parts: Parts, connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(parts.layout.database.parent.stat().st_ctime),
        "owned_by": "system",
        "x_fine_tuning": _extension(parts, connection, name, None),
    }


def _tuned_object(parts: Parts, connection: sqlite3.Connection, model: models.Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": model.created_at,
        "owned_by": OWNER,
        "x_fine_tuning": _extension(parts, connection, model.base, model.parent),
    }


def missing(name: str) -> NotFound:
    """The error for a model that does not answer here."""
    return NotFound(
        f"The model `{name}` does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    )


@router.get("")
def listed(parts: Parts, who: Who) -> dict[str, Any]:
    with parts.database.read() as connection:
        found = [_base_object(parts, connection, name) for name in parts.config.bases]
        tuned = models.everything(connection, who.project)
        found += [_tuned_object(parts, connection, model) for model in tuned]
    return {"object": "list", "data": found}


@router.get("/{name}")
def retrieve(parts: Parts, who: Who, name: str) -> dict[str, Any]:
    with parts.database.read() as connection:
        if name in parts.config.bases:
            return _base_object(parts, connection, name)
        model = models.find(connection, name, who.project)
        if model is None:
            raise missing(name)
        return _tuned_object(parts, connection, model)


@router.delete("/{name}", dependencies=[Depends(may_change)])
async def delete(parts: Parts, who: Who, name: str) -> dict[str, Any]:
    """Delete a fine-tuned model of one's own project; a base stays, and so does what others share."""
    with parts.database.write() as connection:
        model = models.find(connection, name, who.project)
        if model is None or model.project != who.project:
            raise missing(name)
        models.remove(connection, name)
    folder = parts.layout.root / model.folder
    parts.serving.forget(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return {"id": name, "object": "model", "deleted": True}
