"""/v1/uploads: a file in parts, put together in the order that the client names."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from trainserver import files, uploads
from trainserver.api import limits, objects
from trainserver.api.files import check_kind
from trainserver.api.state import Parts, Who, may_change
from trainserver.errors import BadRequest
from trainserver.ids import new_id

router = APIRouter(prefix="/v1/uploads", dependencies=[Depends(may_change)])


class Expiry(BaseModel):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(strict=True, ge=3600, le=2_592_000)]


class Create(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: Annotated[str, Field(min_length=1)]
    purpose: str
    bytes: Annotated[int, Field(strict=True, ge=1, le=limits.UPLOAD_BYTES)]
    mime_type: str
    expires_after: Expiry | None = None


class Complete(BaseModel):
    model_config = ConfigDict(extra="forbid")

    part_ids: Annotated[list[str], Field(min_length=1)]
    md5: str | None = None


def _object(connection: sqlite3.Connection, upload: uploads.Upload) -> dict[str, Any]:
    file = None if upload.file_id is None else files.find(connection, upload.file_id, upload.project)
    return objects.upload(upload, file)


@router.post("")
def create(parts: Parts, who: Who, body: Create) -> dict[str, Any]:
    check_kind(body.purpose, body.filename, "filename")
    with parts.database.write() as connection:
        upload = uploads.add(
            connection,
            who.project,
            filename=body.filename,
            size=body.bytes,
            purpose=body.purpose,
            expires_after=None if body.expires_after is None else body.expires_after.seconds,
        )
    return objects.upload(upload, None)


@router.post("/{upload_id}/parts")
def add_part(parts: Parts, who: Who, upload_id: str, data: UploadFile) -> dict[str, Any]:
    if not data.size or data.size > limits.PART_BYTES:
        raise BadRequest("A part has 1 byte to 64 MB.", param="data", code="invalid_part_size")
    with parts.database.read() as connection:
        uploads.pending(connection, upload_id, who.project)
        _check_room(connection, upload_id, data.size)
    part_id = new_id("part", "_")
    path = parts.layout.upload(upload_id) / part_id
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        shutil.copyfileobj(data.file, target)
    try:
        with parts.database.write() as connection:
            uploads.pending(connection, upload_id, who.project)
            _check_room(connection, upload_id, data.size)
            return objects.part(uploads.add_part(connection, upload_id, part_id, data.size))
    except BadRequest:
        path.unlink(missing_ok=True)
        raise


def _check_room(connection: sqlite3.Connection, upload_id: str, size: int) -> None:
    """All parts together, also those that are not taken in the end, have a limit."""
    if uploads.held(connection, upload_id) + size > limits.UPLOAD_BYTES:
        raise BadRequest(
            "The parts of an upload have at most 8 GB together.", param="data", code="upload_too_large"
        )


def _join(sources: list[Path], target: Path, md5: str | None) -> None:
    """Write the parts one behind the other. Raises `BadRequest` when the checksum is another."""
    found = hashlib.md5(usedforsecurity=False)
    with target.open("wb") as out:
        for source in sources:
            with source.open("rb") as part:
                while block := part.read(2**20):
                    found.update(block)
                    out.write(block)
    if md5 is not None and found.hexdigest() != md5.lower():
        target.unlink()
        raise BadRequest(
            f"The md5 of the parts is {found.hexdigest()}, not {md5}.", param="md5", code="md5_mismatch"
        )


@router.post("/{upload_id}/complete")
def complete(parts: Parts, who: Who, upload_id: str, body: Complete) -> dict[str, Any]:
    with parts.database.read() as connection:
        upload = uploads.pending(connection, upload_id, who.project)
        chosen = uploads.chosen(connection, upload, body.part_ids)
    folder, file_id = parts.layout.upload(upload_id), new_id("file")
    path = parts.layout.file(file_id)
    new = path.with_suffix(".new")
    _join([folder / part.id for part in chosen], new, body.md5)
    new.rename(path)
    with parts.database.write() as connection:
        if uploads.end(connection, upload_id, "completed", file_id):
            files.add(
                connection,
                file_id,
                upload.bytes,
                upload.filename,
                upload.purpose,
                project=who.project,
                expires_after=upload.file_expires_after,
            )
        else:
            path.unlink()
        answer = _object(connection, uploads.get(connection, upload_id, who.project))
    shutil.rmtree(folder, ignore_errors=True)
    return answer


@router.post("/{upload_id}/cancel")
def cancel(parts: Parts, who: Who, upload_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        uploads.pending(connection, upload_id, who.project)
        uploads.end(connection, upload_id, "cancelled")
        answer = _object(connection, uploads.get(connection, upload_id, who.project))
    shutil.rmtree(parts.layout.upload(upload_id), ignore_errors=True)
    return answer
