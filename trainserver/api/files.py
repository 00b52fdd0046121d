"""/v1/files"""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile

from trainserver import files
from trainserver.api import limits, objects
from trainserver.api.state import Parts, Who, may_change
from trainserver.errors import BadRequest
from trainserver.ids import new_id

PURPOSES = ("fine-tune",)
Anchor = Literal["created_at"]
Seconds = Annotated[int, Query(ge=3600, le=2_592_000)]
router = APIRouter(prefix="/v1/files", dependencies=[Depends(may_change)])


def check_kind(purpose: str, filename: str, param: str) -> None:
    """Refuse what is of no use for training. Raises `BadRequest`."""
    if purpose not in PURPOSES:
        raise BadRequest(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    if not filename.lower().endswith(".jsonl"):
        raise BadRequest(f"Invalid file format: {filename} must end in .jsonl for fine-tuning.", param=param)


@router.post("")
def create(
    parts: Parts,
    who: Who,
    file: UploadFile,
    purpose: Annotated[str, Form()],
    anchor: Annotated[Anchor | None, Form(alias="expires_after[anchor]")] = None,
    seconds: Annotated[Seconds | None, Form(alias="expires_after[seconds]")] = None,
) -> dict[str, Any]:
    """Store an upload. Only `.jsonl` for fine-tuning is of use here; content is checked when a job starts."""
    name = file.filename or "file"
    check_kind(purpose, name, "file")
    if (anchor is None) != (seconds is None):
        raise BadRequest("'expires_after' needs both anchor and seconds.", param="expires_after")
    if file.size is not None and file.size > limits.FILE_BYTES:
        raise BadRequest("File is larger than the maximum of 512 MB.", param="file", code="file_too_large")
    if not file.size:
        raise BadRequest("File is empty.", param="file", code="empty_file")
    file_id = new_id("file")
    path = parts.layout.file(file_id)
    new = path.with_suffix(".new")
    with new.open("wb") as target:
        shutil.copyfileobj(file.file, target)
    new.rename(path)
    with parts.database.write() as connection:
        record = files.add(
            connection,
            file_id,
            path.stat().st_size,
            name,
            purpose,
            project=who.project,
            expires_after=seconds,
        )
    return objects.file(record)


@router.get("")
def listed(
    parts: Parts,
    who: Who,
    purpose: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> dict[str, Any]:
    with parts.database.read() as connection:
        found, more = files.listed(
            connection,
            who.project,
            purpose=purpose,
            limit=limit,
            after=after,
            newest_first=order == "desc",
        )
    return objects.page_with_ends([objects.file(record) for record in found], more)


@router.get("/{file_id}")
def retrieve(parts: Parts, who: Who, file_id: str) -> dict[str, Any]:
    with parts.database.read() as connection:
        return objects.file(files.get(connection, file_id, who.project))


@router.get("/{file_id}/content")
def content(parts: Parts, who: Who, file_id: str) -> Response:
    with parts.database.read() as connection:
        record = files.get(connection, file_id, who.project)
    return Response(parts.layout.file(record.id).read_bytes(), media_type="application/octet-stream")


@router.delete("/{file_id}")
def delete(parts: Parts, who: Who, file_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        record = files.get(connection, file_id, who.project)
        files.remove(connection, record.id)
    parts.layout.file(record.id).unlink(missing_ok=True)
    return {"id": record.id, "object": "file", "deleted": True}
