"""A redacted copy: the same file without the private values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tuning.datasets import check_file, examine, redact, redaction
from tuning.datasets.privacy import scan


def row(text: str, reply: str = "ok") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": reply}]}


def test_the_same_value_has_the_same_placeholder(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(
        row("a@b.example and c@d.example"), row("no"), row("A@B.example 4111 1111 1111 1111", "c@d.example")
    )
    result = redact(path, tmp_path / "out.jsonl")
    texts = [
        [message["content"] for message in json.loads(line)["messages"]]
        for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    ]
    assert texts == [["[EMAIL_1] and [EMAIL_2]", "ok"], ["no", "ok"], ["[EMAIL_1] [CARD_1]", "[EMAIL_2]"]]
    assert result.counts == {"email": 4, "payment_card": 1}
    assert result.rows_changed == 2
    assert list(result.lines) == [1, 2, 3]


def test_rows_without_private_values_stay_byte_for_byte(write: Callable[..., Path], tmp_path: Path) -> None:
    odd = b'{ "messages" : [ ] , "n": 1.0 }'
    path = write(odd, row("a@b.example"), b"", b"{oops")
    redact(path, tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_bytes().split(b"\n")
    assert (lines[0], lines[2], lines[3]) == (odd, b"", b"{oops")


def test_nothing_private_is_left_also_in_broken_lines_and_tool_arguments(
    write: Callable[..., Path], good: list[bytes], tmp_path: Path
) -> None:
    arguments = '{"card": 4111111111111111, "to": "a\\u0040b.example"}'
    call = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": arguments}}
    path = write(
        *good,
        b'{"messages": broken a@b.example',
        {"messages": [{"role": "assistant", "tool_calls": [call]}]},
        b'{"a": "a@b.example", "a": "none"}',
        {"a@b.example": 1},
        {"n": 4111111111111111},
    )
    redact(path, out := tmp_path / "out.jsonl")
    assert examine(out, check_file(out)).privacy == {}
    made = [line for line in out.read_bytes().splitlines() if b"tool_calls" in line]
    inner = json.loads(made[0])["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(inner) == {"card": "[CARD_1]", "to": "[EMAIL_1]"}


def test_many_values_are_numbered_on_disk(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_IN_MEMORY", 2)
    path = write(*(row(f"p{n % 5}@b.example") for n in range(10)))
    redact(path, out := tmp_path / "out.jsonl")
    said = [json.loads(line)["messages"][0]["content"] for line in out.read_bytes().splitlines()]
    assert said == [f"[EMAIL_{n % 5 + 1}]" for n in range(10)]


def test_the_original_is_never_overwritten(write: Callable[..., Path]) -> None:
    path = write(row("a@b.example"))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="overwrite"):
        redact(path, path)
    assert path.read_bytes() == before


PIECES = st.sampled_from(
    [
        "a@b.example",
        "4111 1111 1111 1111",
        "078-05-1120",
        "010-1234-5678",
        "8.8.8.8",
        " ",
        "x",
        "-",
        "1",
        "@",
        "é",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=20), max_size=5))
@example(["4111 1111 1111 1111-a@b.example"])
@example(["010-1234-5678.078-05-1120"])
def test_whatever_the_texts_none_is_left(tmp_path: Path, texts: list[str]) -> None:
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_text("\n".join(json.dumps(row(text)) for text in texts), "utf-8")
    redact(path, out)
    for line in out.read_bytes().splitlines():
        for message in json.loads(line)["messages"]:
            assert scan(message["content"].encode("utf-8", "replace")) == []
