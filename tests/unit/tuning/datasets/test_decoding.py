"""Files in other encodings, packed files and tables are searched for private values, by line."""

from __future__ import annotations

import base64
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import check_file, decoding, examine, redact, repair, repairable

EMAIL, SSN = "jane.roe@mail.example", "078-05-1120"
TABLE = base64.b64decode(
    "UEFSMRUEFSoVPEwVBBUAEgAAKLUv/SAVqQAABAAAAHVzZXIJAAAAYXNzaXN0YW50FQAVJhU4LBUwFRAVBhUGHAAAACi1L/0gE5kA"
    "AAQAAAAHqqqqAgAAADAEAQeqqqoVBBXCBBWGAkwVGhUAEgAAKLUv/WAhAM0DAJJGFxyASR2YIDIk7R58wr9JZyossC2oEZUucfHY"
    "aUwBmoopwCTzUPBgFrxo3R7RGM41mu2BMotBOYOamo6wpdrhzyJ31OIe6S6tbWwTtJBoTrYBiseeWAVdtO57RWM7EAkAOt94wYmD"
    "73I+FuFPcCv6wXdz0nin5xgVABU4FUosFTAVEBUGFQYcAAAAKLUv/SAc4QAABAAAAAeqqqoCAAAAMAQEBxASExQVFhcYGRobHBUE"
    "GWw1ABgGc2NoZW1hFQIANQIYCG1lc3NhZ2VzFQIVBkw8AAAANQQYBGxpc3QVAgA1AhgHZWxlbWVudBUEABUMJQIYBHJvbGUlAEwc"
    "AAAAFQwlAhgHY29udGVudCUATBwAAAAWGBkcGSwmABwVDBk1AAYQGUgIbWVzc2FnZXMEbGlzdAdlbGVtZW50BHJvbGUVDBYwFpIB"
    "FrYBJmAmCCksFQQVABUCABUAFRAVAgA8FrgCGSYYGBlWAAAAADAAAAAmABwVDBk1AAYQGUgIbWVzc2FnZXMEbGlzdAdlbGVtZW50"
    "B2NvbnRlbnQVDBYwFsAFFpYDJuQDJr4BKSwVBBUAFQIAFQAVEBUCADwW8AMZJhgYGVYAAAAAMAAAABbSBhYYJggWzAQAKCBwYXJx"
    "dWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAAFMBAABQQVIx"
)
"""A Parquet file (zstd) with the rows of :func:`lines`, written by pyarrow."""


def row(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "a reply"}]}


@pytest.fixture
def lines() -> list[str]:
    texts = [f"Where is parcel {n}?" for n in range(12)]
    texts[4], texts[9] = f"Schreiben Sie an {EMAIL}, größer", f"my number is {SSN}"
    return [json.dumps(row(text), ensure_ascii=False) for text in texts]


def packed(kind: str, lines: list[str], path: Path) -> Path:
    text = "\n".join(lines) + "\n"
    if kind == "gzip":
        path.write_bytes(gzip.compress(text.encode()))
    elif kind == "gzip of UTF-16":
        path.write_bytes(gzip.compress(text.encode("utf-16")))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data/train.jsonl", text)
    elif kind == "Windows-1252":
        path.write_bytes(text.encode("cp1252"))
    elif kind == "Parquet":
        path.write_bytes(TABLE)
    else:
        path.write_bytes(text.encode(kind))
    return path


KINDS = [
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "gzip",
    "gzip of UTF-16",
    "zip",
    "Windows-1252",
    "Parquet",
]


@pytest.mark.parametrize("kind", KINDS)
def test_private_values_are_found_by_line(kind: str, lines: list[str], tmp_path: Path) -> None:
    path = packed(kind, lines, tmp_path / "dropped.jsonl")
    report = examine(path, check_file(path))
    assert {code: found.lines for code, found in report.privacy.items()} == {
        "national_id": (10,),
        "email": (5,),
    }
    assert report.notes == ()
    assert report.needs_decision


@pytest.mark.parametrize("kind", KINDS)
def test_a_redacted_copy_is_free_of_them(kind: str, lines: list[str], tmp_path: Path) -> None:
    path = packed(kind, lines, tmp_path / "dropped.jsonl")
    made = redact(path, out := tmp_path / "out.jsonl")
    assert (made.counts, made.rows_changed) == ({"email": 1, "national_id": 1}, 2)
    assert EMAIL.encode() not in out.read_bytes()
    assert list(made.lines) == list(range(1, 13))
    assert examine(out, check_file(out)).privacy == {}


@pytest.mark.parametrize("kind", ["gzip", "gzip of UTF-16", "utf-32-le"])
def test_a_packed_file_can_be_repaired(kind: str, lines: list[str], tmp_path: Path) -> None:
    path = packed(kind, [*lines[:3], lines[3] + ",", *lines[4:]], tmp_path / "dropped.jsonl")
    report = check_file(path)
    assert repairable(report) == 1
    made = repair(path, out := tmp_path / "out.jsonl")
    assert [change.lines for change in made.changes] == [(), (4,)]
    assert check_file(out).verdict == "accept"


def test_a_table_can_be_repaired(lines: list[str], tmp_path: Path) -> None:
    path = packed("Parquet", lines, tmp_path / "dropped.parquet")
    assert repairable(check_file(path)) == 1
    [change] = repair(path, out := tmp_path / "out.jsonl").changes
    assert change.message == "each table row written on one line"
    assert check_file(out).verdict == "accept"


def test_a_table_in_text_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"question,answer\nHow are you?,fine\nWhere to write?,{EMAIL}\nYour number?,{SSN}\n")
    report = examine(path, check_file(path))
    assert report.errors[0].code == "csv_file"
    assert {code: found.lines for code, found in report.privacy.items()} == {
        "national_id": (4,),
        "email": (3,),
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x1f\x8b\x08\x00abc", "it is damaged"),
        (gzip.compress(b"x" * 5_000)[:-12], "it is damaged"),
        (gzip.compress(b"\x1f\x8b\x08\x00 once more"), "what is packed in it is no text"),
        (b"PK\x03\x04abc", "it is damaged or locked"),
        (b"PAR1abc", "it is damaged, or larger than can be read here"),
        (b"%PDF-1.7\n", "it is no text"),
    ],
    ids=["no gzip", "gzip cut off", "gzip in gzip", "no zip", "no Parquet", "PDF"],
)
def test_what_cannot_be_read_is_said(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "dropped.jsonl"
    path.write_bytes(data)
    report = examine(path, check_file(path))
    assert report.notes == (f"Not searched for private values: {why}",)
    assert report.examined
    if not data.startswith(b"%"):
        with pytest.raises(ValueError, match="cannot be redacted"):
            redact(path, tmp_path / "out.jsonl")


def test_a_small_file_that_becomes_huge_is_left_alone(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MOST_BYTES", 1_000)
    path = packed("gzip", lines * 10, tmp_path / "dropped.jsonl")
    report = examine(path, check_file(path))
    assert report.notes == ("Not searched for private values: unpacked it is larger than 0 GB",)


def test_an_archive_of_several_files_is_not_guessed_at(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.jsonl", "b.jsonl"):
            archive.writestr(name, "\n".join(lines))
    report = examine(path, check_file(path))
    assert report.notes == ("Not searched for private values: it holds 2 text files, not one",)
