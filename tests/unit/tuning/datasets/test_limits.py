"""What a provider takes is checked from its profile, and said with its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import BaseInfo, Limits, Report, base_info, check_file, columns

Row = dict[str, Any]
Write = Callable[..., Path]
PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}


def at(**limits: Any) -> BaseInfo:
    return replace(base_info("gpt-4.1"), limits=Limits("Acme", **limits))


def words(report: Report) -> dict[str, str]:
    return {problem.code: problem.message for problem in report.errors}


def pictured(count: int = 1) -> Row:
    return {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, *[PICTURE] * count]},
            {"role": "assistant", "content": "a parcel"},
        ]
    }


def with_tools(count: int) -> Row:
    tools = [{"type": "function", "function": {"name": f"t{n}"}} for n in range(count)]
    return {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
        "tools": tools,
    }


@pytest.mark.parametrize(
    ("row", "limits", "code", "says"),
    [
        (pictured(65), {"max_pictures": 64}, "too_many_images", "(line 61, 65 images; Acme takes 64)"),
        (pictured(), {"pictures": False}, "pictures_not_taken", "(line 61, Acme trains on text alone)"),
        (with_tools(9), {"max_tools": 8}, "too_many_tools", "(line 61, 9 tools; Acme takes 8)"),
    ],
)
def test_a_row_over_a_limit_is_named_with_the_provider(
    row: Row, limits: Row, code: str, says: str, good: list[bytes], write: Write
) -> None:
    report = check_file(write(*good, row), base=at(**limits))
    assert words(report).keys() == {code}
    assert says in words(report)[code]


def test_a_provider_that_takes_more_takes_it(good: list[bytes], write: Write) -> None:
    path = write(*good, pictured(64), with_tools(200))
    assert check_file(path, base=at(max_pictures=64, max_tools=256)).errors == ()
    assert words(check_file(path)).keys() == {"too_many_images", "too_many_tools"}


def test_a_picture_is_as_large_as_the_provider_takes(good: list[bytes], write: Write) -> None:
    row = pictured()
    row["messages"][0]["content"][1] = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,iVBORw0KGgo" + "A" * 4_000},
    }
    path = write(*good, row)
    assert check_file(path).errors == ()
    assert (
        "2.9 KB; Acme takes 2 KB" in words(check_file(path, base=at(picture_bytes=2_048)))["image_too_large"]
    )


def test_files_over_a_limit_are_told_the_figures(good: list[bytes], write: Write) -> None:
    path = write(*good)
    large = words(check_file(path, base=at(max_bytes=1_024)))["file_too_large"]
    assert large.startswith("The file is larger than the provider takes (")
    assert large.endswith("; Acme takes 1 KB)")
    many = words(check_file(path, base=at(max_examples=59)))["too_many_examples"]
    assert many == "The file holds more examples than the provider takes (60; Acme takes 59)"


# --- reinforcement: the same columns in both files ----------------------------------------------------
def graded(number: int, **more: Any) -> Row:
    return {"messages": [{"role": "user", "content": f"What is {number} + 1?"}], **more}


@pytest.fixture
def training(write: Write) -> Path:
    rows = [graded(n, answer=str(n + 1), level="easy") for n in range(20)]
    rows[3]["hint"] = "count"
    return write(*rows, name="train.jsonl")


def test_validation_rows_need_the_columns_of_the_training_rows(training: Path, write: Write) -> None:
    rows = [graded(n, answer=str(n + 1), level="hard") for n in range(30, 34)]
    rows[1] = graded(31, answer="32")
    rows[2] |= {"note": "x"}
    rows[3] |= {"hint": "a column that some rows to train on have, and some have not"}
    report = check_file(write(*rows), validation=True, against=training)
    [problem] = report.errors
    assert (problem.code, problem.lines) == ("validation_columns", (2, 3))
    assert "(line 2, without `level`)" in problem.message
    assert check_file(write(*rows), validation=True).verdict == "accept"


def test_the_same_columns_are_fine_and_tools_are_none(training: Path, write: Write) -> None:
    rows = [graded(n, answer="7", level="hard", tools=[]) for n in range(30, 34)]
    assert check_file(write(*rows), validation=True, against=training).verdict == "accept"


def test_a_validation_file_without_any_column_is_refused(training: Path, write: Write) -> None:
    path = write(*[graded(n) for n in range(30, 34)])
    report = check_file(path, method="reinforcement", validation=True, against=training)
    assert "without `answer`, `level`" in words(report)["validation_columns"]


def test_two_checked_files_are_compared_by_their_reports(training: Path, write: Write) -> None:
    first = check_file(training)
    other = check_file(write(*[graded(n, answer="7") for n in range(30, 44)]))
    again = Report.from_json(json.loads(json.dumps(first.to_record())))
    assert columns.differ(again.columns, other.columns) == "without `level`"
    assert columns.differ(other.columns, first.columns) == "with `hint`, `level`"
    assert columns.differ(first.columns, first.columns) == ""


def test_chat_rows_have_no_columns(good: list[bytes], write: Write) -> None:
    path = write(*good)
    assert check_file(path).columns == {}
    assert check_file(path, validation=True, against=write(*good[:3], name="t.jsonl")).columns == {}
