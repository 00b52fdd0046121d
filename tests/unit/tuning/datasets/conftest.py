"""Rows and files for the tests of the dataset check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import Report, check_file

Row = dict[str, Any]


def _chat(user: str = "Where is my parcel?", reply: str = "shipping", **assistant: Any) -> Row:
    return {
        "messages": [
            {"role": "user", "content": user},
            {"role": "assistant", "content": reply, **assistant},
        ]
    }


@pytest.fixture(scope="session")
def chat() -> Callable[..., Row]:
    """Makes one good row."""
    return _chat


@pytest.fixture(scope="session")
def good() -> list[bytes]:
    """Sixty good lines, all different."""
    return [json.dumps(_chat(f"Where is parcel {n}?")).encode() for n in range(60)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines (bytes, or rows as JSON) to a file, with LF after each."""

    def write(*lines: bytes | Row, name: str = "data.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(
            b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
        )
        return path

    return write


@pytest.fixture
def report_on(tmp_path: Path) -> Callable[..., Report]:
    """Checks these very bytes."""

    def report_on(data: bytes, **options: Any) -> Report:
        path = tmp_path / "dropped.jsonl"
        path.write_bytes(data)
        return check_file(path, **options)

    return report_on
