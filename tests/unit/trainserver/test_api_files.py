"""Files that expire, uploads in parts: what is kept, what is refused, what goes away by itself."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from tests.contract import openai_wire
from tests.unit.trainserver.conftest import lines
from tests.unit.trainserver.inprocess import Inside
from trainserver.api import limits
from trainserver.housekeeping import sweep

CONTENT = lines(4)


async def upload(client: AsyncOpenAI, **options: Any) -> Any:
    asked: dict[str, Any] = {
        "filename": "a.jsonl",
        "purpose": "fine-tune",
        "bytes": len(CONTENT),
        "mime_type": "text/jsonl",
    }
    return await client.uploads.create(**asked | options)


def age(app: Inside, table: str, seconds: int = 4000) -> None:
    """Let everything in a table be that much older."""
    with app.state.database.write() as connection:
        connection.execute(f"UPDATE {table} SET expires_at = expires_at - ?", (seconds,))


async def test_files_are_listed_either_way_by_purpose_and_in_pages(client: AsyncOpenAI):
    ids = [
        (await client.files.create(file=(f"{i}.jsonl", CONTENT), purpose="fine-tune")).id for i in range(3)
    ]
    assert [file.id async for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id async for file in client.files.list(limit=1, order="asc")] == ids
    assert [file.id async for file in client.files.list(purpose="fine-tune-results")] == []
    page = await client.files.list(after=ids[0], order="asc", limit=1)
    assert ([file.id for file in page.data], page.has_more) == ([ids[1]], True)


async def test_a_file_is_gone_when_its_time_is_over(app: Inside, client: AsyncOpenAI):
    file = await client.files.create(
        file=("a.jsonl", CONTENT),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    stays = await client.files.create(file=("b.jsonl", CONTENT), purpose="fine-tune")
    path = app.state.layout.file(file.id)
    sweep(app.state.database, app.state.layout)
    assert path.exists()
    age(app, "files")
    assert [one.id async for one in client.files.list()] == [stays.id]
    with pytest.raises(openai.NotFoundError):
        await client.files.retrieve(file.id)
    with pytest.raises(openai.BadRequestError):
        await client.fine_tuning.jobs.create(model="tiny", training_file=file.id)
    sweep(app.state.database, app.state.layout)
    assert not path.exists()


async def test_a_file_that_a_job_still_needs_outlives_its_time(app: Inside, client: AsyncOpenAI):
    file = await client.files.create(
        file=("a.jsonl", CONTENT),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    job = await client.fine_tuning.jobs.create(model="tiny", training_file=file.id)
    age(app, "files")
    sweep(app.state.database, app.state.layout)
    assert app.state.layout.file(file.id).exists()
    await client.fine_tuning.jobs.cancel(job.id)
    sweep(app.state.database, app.state.layout)
    assert not app.state.layout.file(file.id).exists()


@pytest.mark.parametrize("seconds", [3599, 2_592_001])
async def test_an_expiry_outside_the_limits_is_refused(client: AsyncOpenAI, seconds: int):
    expiry: Any = {"anchor": "created_at", "seconds": seconds}
    with pytest.raises(openai.BadRequestError):
        await client.files.create(file=("a.jsonl", CONTENT), purpose="fine-tune", expires_after=expiry)
    with pytest.raises(openai.BadRequestError) as caught:
        await upload(client, expires_after=expiry)
    assert caught.value.param == "expires_after.seconds"


async def test_parts_are_put_together_in_the_order_named(client: AsyncOpenAI):
    made = await upload(client, expires_after={"anchor": "created_at", "seconds": 3600})
    parts = [await client.uploads.parts.create(made.id, data=one) for one in (CONTENT[50:], CONTENT[:50])]
    done = await client.uploads.complete(
        made.id, part_ids=[parts[1].id, parts[0].id], md5=hashlib.md5(CONTENT).hexdigest()
    )
    assert done.file is not None
    assert (done.file.filename, done.file.bytes, done.file.purpose) == ("a.jsonl", len(CONTENT), "fine-tune")
    assert done.file.expires_at == done.file.created_at + 3600
    assert (await client.files.content(done.file.id)).content == CONTENT
    with pytest.raises(openai.BadRequestError) as caught:
        await client.uploads.complete(made.id, part_ids=[parts[0].id])
    assert caught.value.code == "upload_not_pending"


async def test_the_sdks_own_helper_works(client: AsyncOpenAI, tmp_path: Path):
    path = tmp_path / "big.jsonl"
    path.write_bytes(CONTENT)
    done = await client.uploads.upload_file_chunked(
        file=path, mime_type="text/jsonl", purpose="fine-tune", part_size=64
    )
    assert done.file is not None
    assert (await client.files.content(done.file.id)).content == CONTENT


async def test_an_upload_that_does_not_add_up_is_refused_and_stays_open(app: Inside, client: AsyncOpenAI):
    made = await upload(client)
    part = await client.uploads.parts.create(made.id, data=CONTENT)
    half = await client.uploads.parts.create(made.id, data=CONTENT[:9])
    other = await upload(client)
    foreign = await client.uploads.parts.create(other.id, data=CONTENT)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"part_ids": [half.id]}, "bytes_mismatch"),
        ({"part_ids": [part.id, half.id]}, "bytes_mismatch"),
        ({"part_ids": [part.id, part.id]}, "invalid_part_ids"),
        ({"part_ids": [foreign.id]}, "invalid_part_ids"),
        ({"part_ids": [part.id], "md5": "0" * 32}, "md5_mismatch"),
    ]
    for options, code in wrong:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.uploads.complete(made.id, **options)
        assert caught.value.code == code
    assert list((app.state.layout.root / "files").iterdir()) == []
    assert (await client.uploads.complete(made.id, part_ids=[part.id])).status == "completed"


async def test_a_cancelled_or_expired_upload_takes_nothing_more(app: Inside, client: AsyncOpenAI):
    made = await upload(client)
    await client.uploads.parts.create(made.id, data=CONTENT)
    assert (await client.uploads.cancel(made.id)).status == "cancelled"
    late = await upload(client)
    part = await client.uploads.parts.create(late.id, data=CONTENT)
    age(app, "uploads")
    for call in (
        client.uploads.parts.create(made.id, data=b"x"),
        client.uploads.parts.create(late.id, data=b"x"),
        client.uploads.complete(late.id, part_ids=[part.id]),
        client.uploads.cancel(late.id),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            await call
        assert caught.value.code == "upload_not_pending"
    sweep(app.state.database, app.state.layout)
    assert list((app.state.layout.root / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"purpose": "vision"}, "purpose"),
        ({"filename": "a.csv"}, "filename"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": 8 * 1024**3 + 1}, "bytes"),
    ],
)
async def test_an_upload_of_no_use_is_refused(client: AsyncOpenAI, options: dict[str, Any], param: str):
    with pytest.raises(openai.BadRequestError) as caught:
        await upload(client, **options)
    assert caught.value.param == param


async def test_parts_have_a_limit_each_and_together(
    app: Inside, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
):
    made = await upload(client)
    monkeypatch.setattr(limits, "PART_BYTES", 60)
    monkeypatch.setattr(limits, "UPLOAD_BYTES", 100)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.uploads.parts.create(made.id, data=b"x" * 61)
    assert caught.value.code == "invalid_part_size"
    await client.uploads.parts.create(made.id, data=b"x" * 60)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.uploads.parts.create(made.id, data=b"x" * 41)
    assert caught.value.code == "upload_too_large"
    await client.uploads.parts.create(made.id, data=b"x" * 40)
    assert len(list(app.state.layout.upload(made.id).iterdir())) == 2


@pytest.mark.parametrize("path", ["/files", "/uploads/upload_x/parts", "/chat/completions"])
async def test_a_request_that_is_too_large_is_refused_unread(
    client: AsyncOpenAI, path: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "limit", lambda _: 10)
    with pytest.raises(openai.APIStatusError) as caught:
        await client.post(path, cast_to=object, body={"x": "y" * 20})
    assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")


async def test_a_request_that_goes_on_beyond_its_limit_is_cut_off(
    client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "limit", lambda _: 10)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"y" * 8

    http = client._client
    answer = await http.post("http://inside/v1/chat/completions", content=endless())
    assert answer.status_code == 400


async def test_a_full_disk_is_told_to_who_uploads(
    app: Inside, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    transport = httpx2.ASGITransport(app.app, raise_app_exceptions=False)
    async with openai_wire.async_client(transport=transport) as http:
        answer = await http.post(
            "http://inside/v1/files", data={"purpose": "fine-tune"}, files={"file": ("a.jsonl", b"{}")}
        )
    assert answer.status_code == 507
    assert answer.json()["error"]["code"] == "disk_full"
