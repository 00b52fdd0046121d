"""Uploads as an SDK client sees them."""

from __future__ import annotations

from typing import Any, cast

import openai
import pytest

from tests.unit.trainserver.conftest import Server, lines


def test_an_upload_comes_back_whole_and_processed(server: Server):
    content = lines(3)
    file = server.client.files.create(file=("mine.jsonl", content), purpose="fine-tune")
    again = server.client.files.retrieve(file.id)
    assert again == file
    assert (again.filename, again.bytes, again.status, again.purpose) == (
        "mine.jsonl",
        len(content),
        "processed",
        "fine-tune",
    )
    assert server.client.files.content(file.id).read() == content


def test_files_are_listed_newest_first_and_in_pages(server: Server):
    ids = [server.upload(lines(1), f"{i}.jsonl") for i in range(3)]
    assert [file.id for file in server.client.files.list(limit=2)][:3] == ids[::-1]
    asked = server.client.files.list(limit=1, after=ids[1], order="desc")
    assert [file.id for file in asked.data] == [ids[0]]


def test_a_deleted_file_is_gone(server: Server):
    file_id = server.upload(lines(1))
    assert server.client.files.delete(file_id).deleted
    with pytest.raises(openai.NotFoundError):
        server.client.files.retrieve(file_id)


@pytest.mark.parametrize(
    ("name", "content", "purpose", "param"),
    [
        ("a.csv", b"a,b", "fine-tune", "file"),
        ("a.jsonl", b"", "fine-tune", "file"),
        ("a.jsonl", b"{}", "assistants", "purpose"),
    ],
)
def test_an_upload_of_no_use_is_refused(server: Server, name: str, content: bytes, purpose: str, param: str):
    with pytest.raises(openai.BadRequestError) as caught:
        server.client.files.create(file=(name, content), purpose=cast(Any, purpose))
    assert caught.value.param == param
