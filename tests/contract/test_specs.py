"""The checks of this folder can fail: each finds the fault that it is there for."""

from __future__ import annotations

from typing import Any

from tests.contract import openai_spec, slack_spec

FILE: dict[str, Any] = {
    "id": "file-1",
    "object": "file",
    "bytes": 1,
    "created_at": 1,
    "filename": "a",
    "purpose": "fine-tune",
    "status": "processed",
}


def test_a_good_file_passes_and_a_bad_one_is_named() -> None:
    assert openai_spec.problems("get", "/files/{file_id}", FILE) == []
    assert "bytes" in openai_spec.problems("get", "/files/{file_id}", {**FILE, "bytes": "1"})[0]
    assert "status" in openai_spec.problems("get", "/files/{file_id}", {**FILE, "status": "fine"})[0]
    found = openai_spec.problems("get", "/files/{file_id}", {**FILE, "colour": "red"})
    assert found == ["/colour: not in the description"]


def test_a_fault_inside_a_list_is_named_with_its_place() -> None:
    page = {
        "object": "list",
        "data": [FILE, {**FILE, "colour": "red"}],
        "has_more": False,
        "first_id": "a",
        "last_id": "b",
    }
    assert openai_spec.problems("get", "/files", page) == ["/data/1/colour: not in the description"]


def test_error_bodies_need_all_four_keys() -> None:
    error = {"message": "no", "type": "invalid_request_error", "param": None, "code": None}
    assert openai_spec.error_problems({"error": error}) == []
    assert openai_spec.error_problems({"error": {"message": "no"}}) != []
    assert openai_spec.error_problems({"detail": "no"}) != []


def test_a_slack_answer_with_a_strange_key_type_or_hole_is_named() -> None:
    good = {"ok": True, "channel": "C1", "ts": "1.2"}
    assert slack_spec.problems("chat.startStream", good) == []
    assert slack_spec.problems("chat.startStream", {**good, "ts": 1.2}) == ["/ts: must be string, is 1.2"]
    assert slack_spec.problems("chat.startStream", {**good, "x": 1}) == ["/x: Slack has no such key here"]
    assert slack_spec.problems("chat.startStream", {"ok": True, "channel": "C1"}) == ["/ts: missing"]
    assert slack_spec.problems("chat.startStream", {"ok": False}) == ["/error: missing"]


def test_blocks_in_a_slack_answer_are_checked_too() -> None:
    answer = {"ok": True, "channel": "C1", "ts": "1.2", "message": {"blocks": [{"type": "section"}]}}
    assert slack_spec.problems("chat.postMessage", answer) == [
        "/message/blocks: a section needs text or fields [json-pointer:/blocks/0]"
    ]


def test_keys_that_are_ids_match_any_id() -> None:
    file = {"shares": {"public": {"C02OI45SGLO": [{"ts": "1.2", "colour": "red"}]}}}
    assert slack_spec.problems("files.info", {"ok": True, "file": file}) == [
        "/file/shares/public/C02OI45SGLO/0/colour: Slack has no such key here"
    ]
