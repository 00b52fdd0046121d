"""A person's files: dropping, looking, deleting."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import FormData, UploadFile
from starlette.responses import FileResponse, Response

from localslack import filedesk
from localslack.errors import UiError
from localslack.records import JSON, File
from localslack.typed import markup
from localslack.ui.request import Person
from localslack.ui.rooms import open_for_posting

KINDS = ("hosted", "snippet", "external", "stub", "hidden_by_limit", "vanished", "lost")
MAX_SNIPPET = 1_000_000


async def drop(person: Person) -> JSON:
    """Files from a person.

    Form fields ``claim_size`` and ``claim_host`` make the file object lie, for tests. ``as`` is one of
    ``KINDS``: a snippet, a link to elsewhere, a stub of another workspace, one over the plan's limit, one
    that was deleted before anybody could read it, one whose bytes are lost.
    """
    channel = open_for_posting(person.path_channel(joined=True))
    async with person.request.form(max_files=10) as form:
        files = [
            await _kept(person, upload, form)
            for upload in form.getlist("file")
            if isinstance(upload, UploadFile)
        ]
        if not files:
            raise UiError("missing_field", "There is no file in the form (field 'file').")
        thread_ts = person.world.thread_root(channel.id, str(form.get("thread_ts") or "") or None)
        text = markup(person.world, str(form.get("text") or ""))
        how = _kind(form)
    message = filedesk.drop(person.world, channel, person.user, files, text, thread_ts)
    for file in files:
        if how == "vanished":
            filedesk.delete(person.world, person.world.store.file(file.id) or file)
        elif how == "lost":
            filedesk.forget(person.world, file)
    return {
        "message": person.world.message_ui(message),
        "files": [person.world.file_ui(file) for file in files],
    }


async def _kept(person: Person, upload: UploadFile, form: FormData) -> File:
    content = await upload.read()
    name = (upload.filename or "file").rsplit("/", 1)[-1]
    claimed = str(form.get("claim_size") or "")
    size = int(claimed) if claimed.isdigit() else len(content)
    host = str(form.get("claim_host") or "") or None
    how = _kind(form)
    stub = how == "stub" or person.user.team is not None
    mode = how if how in ("snippet", "external", "hidden_by_limit") else "hosted"
    file = filedesk.reserve(
        person.world, person.user, name, size, processing=False, host=host, mode=mode, stub=stub
    )
    if mode == "snippet":
        if len(content) > MAX_SNIPPET:
            raise UiError("too_long", "A snippet has at most a million bytes.")
        file = replace(file, filetype="text", mimetype="text/plain")
        person.world.store.save_file(file)
    filedesk.receive(person.world, file, content)
    return file


async def upload(person: Person) -> JSON:
    """Files for a form's ``file_input``: kept without a channel until the form is sent."""
    async with person.request.form(max_files=10) as form:
        files = [
            await _kept(person, given, form)
            for given in form.getlist("file")
            if isinstance(given, UploadFile)
        ]
    if not files:
        raise UiError("missing_field", "There is no file in the form (field 'file').")
    return {"files": [person.world.file_ui(file) for file in files]}


def _kind(form: FormData) -> str:
    how = str(form.get("as") or "hosted")
    if how not in KINDS:
        raise UiError("bad_value", f"as is one of: {', '.join(KINDS)}.")
    return how


async def delete_file(person: Person) -> JSON:
    """One's own file, everywhere."""
    file = person.world.store.file(person.request.path_params["file"])
    if file is None or file.deleted:
        raise UiError("file_not_found", "There is no such file.", 404)
    if file.user != person.user.id:
        raise UiError("not_yours", "This is not your file.", 403)
    filedesk.delete(person.world, file)
    return {}


async def file_content(person: Person) -> Response:
    file = person.world.store.file(person.request.path_params["file"])
    path = filedesk.path_of(person.world, file) if file else None
    if file is None or path is None or file.deleted or not path.exists():
        raise UiError("file_not_found", "There is no such file.", 404)
    kind = (
        file.mimetype if file.is_image else "text/plain; charset=utf-8" if _is_text(file) else file.mimetype
    )
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    return FileResponse(
        path, media_type=kind, filename=file.name, content_disposition_type="inline", headers=headers
    )


def _is_text(file: File) -> bool:
    return file.mimetype.startswith("text/") or file.name.endswith((".jsonl", ".json"))
