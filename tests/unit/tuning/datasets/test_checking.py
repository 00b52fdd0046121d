"""The check of whole files: counts, verdict, what rows have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import BaseInfo, Report, check_file, rows

Row = dict[str, Any]
ReportOn = Callable[..., Report]
Chat = Callable[..., Row]


def codes(report: Report) -> dict[str, int]:
    return {problem.code: problem.count for problem in report.problems}


def test_a_good_file_is_accepted_with_its_hash_and_counts(report_on: ReportOn, good: list[bytes]) -> None:
    data = b"\n".join(good)
    report = report_on(data)
    assert report.verdict == "accept"
    assert report.problems == ()
    assert (report.examples, report.rows, report.bytes) == (60, 60, len(data))
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    assert report.method == "supervised"
    assert report.cost is not None
    assert report.cost.epochs == 3


def test_nine_examples_are_too_few_for_training_but_enough_to_validate(
    report_on: ReportOn, good: list[bytes]
) -> None:
    data = b"\n".join(good[:9])
    assert codes(report_on(data)) == {"too_few_examples": 9}
    assert report_on(data, validation=True).problems == ()


def test_ten_to_forty_nine_examples_get_advice_only(report_on: ReportOn, good: list[bytes]) -> None:
    report = report_on(b"\n".join(good[:10]))
    assert codes(report) == {"few_examples": 10}
    assert report.verdict == "accept"


def test_windows_line_ends_and_a_bom_are_mentioned_and_do_not_block(
    report_on: ReportOn, good: list[bytes]
) -> None:
    report = report_on(b"\xef\xbb\xbf" + b"\r\n".join(good) + b"\r\n")
    assert codes(report) == {"bom": 1, "crlf": 60}
    assert report.verdict == "accept"
    assert report.examples == 60


def test_lone_carriage_returns_end_lines_and_line_numbers_stay_right(
    report_on: ReportOn, good: list[bytes]
) -> None:
    report = report_on(b"\r".join([*good, b"oops"]))
    by_code = {p.code: p for p in report.problems}
    assert by_code["invalid_json"].lines == (61,)
    assert by_code["cr_line_endings"].count == 60


def test_a_newline_at_the_end_is_no_blank_line(report_on: ReportOn, good: list[bytes]) -> None:
    assert report_on(b"\n".join(good) + b"\n").problems == ()
    assert codes(report_on(b"\n".join(good) + b"\n\n")) == {"blank_lines": 1}


def test_u2028_inside_a_text_ends_no_line(report_on: ReportOn, good: list[bytes], chat: Chat) -> None:
    row = json.dumps(chat("first\u2028second\u0085third"), ensure_ascii=False).encode()
    report = report_on(b"\n".join([*good, row, b"oops"]))
    assert {p.code: p.lines for p in report.problems} == {
        "invalid_json": (62,),
        "unicode_line_separator": (61,),
    }


def test_equal_rows_are_duplicates_whatever_their_spelling(
    report_on: ReportOn, good: list[bytes], chat: Chat
) -> None:
    row = chat("Grüße")
    spelled = json.dumps({"messages": row["messages"]}, ensure_ascii=False, separators=(",", ":")).encode()
    report = report_on(b"\n".join([*good, json.dumps(row).encode(), spelled]))
    assert {p.code: p.lines for p in report.problems} == {"duplicate_examples": (62,)}


def test_rows_of_the_training_file_may_not_validate(write: Callable[..., Path], good: list[bytes]) -> None:
    training = write(*good, name="training.jsonl")
    validation = write(good[3], b'{"messages": [', good[5], name="validation.jsonl")
    report = check_file(validation, validation=True, against=training)
    found = {p.code: p.lines for p in report.problems}
    assert found == {"validation_overlap": (1, 3), "invalid_json": (2,)}


def test_problems_are_grouped_with_the_first_place_named(report_on: ReportOn, good: list[bytes]) -> None:
    bad = b'{"messages": [{"role": "human", "content": "hi"}, {"role": "assistant", "content": "x%d"}]}'
    report = report_on(b"\n".join([*good, *(bad % n for n in range(3))]))
    problem = report.errors[0]
    assert (problem.code, problem.count, problem.lines) == ("invalid_role", 3, (61, 62, 63))
    assert problem.message == "3 rows use a role that does not exist (line 61, message 1, `human`)"
    assert report.bad_rows == 3


def test_at_most_a_thousand_lines_are_kept_but_all_are_counted(report_on: ReportOn) -> None:
    problem = report_on(b'{"messages": 1}\n' * 1_500).errors[0]
    assert problem.count == 1_500
    assert problem.lines == tuple(range(1, 1_001))


def test_one_foreign_format_throughout_is_said_of_the_whole_file(report_on: ReportOn) -> None:
    report = report_on(b'{"instruction": "a", "output": "b"}\n' * 12)
    by_code = {p.code: p for p in report.problems}
    assert by_code["alpaca_format"].lines == ()
    assert by_code["alpaca_format"].count == 12
    assert report.method is None
    assert report.tokens is None


def test_old_pairs_are_fine_for_an_old_base(report_on: ReportOn) -> None:
    data = b"\n".join(b'{"prompt": "a%d", "completion": "b"}' % n for n in range(50))
    assert codes(report_on(data)) == {"legacy_format": 50}
    base = BaseInfo("davinci-002", "cl100k_base", None, None, None)
    assert report_on(data, base=base).verdict == "accept"
    assert report_on(data, base=base, method="supervised").verdict == "accept"


@pytest.mark.parametrize(
    ("row", "method"),
    [
        ({"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"}, "reinforcement"),
        (
            {
                "input": {"messages": [{"role": "user", "content": "Hi"}]},
                "preferred_output": [{"role": "assistant", "content": "Hello!"}],
                "non_preferred_output": [{"role": "assistant", "content": "What?"}],
            },
            "dpo",
        ),
    ],
)
def test_the_method_is_told_from_the_rows(row: Row, method: str, write: Callable[..., Path]) -> None:
    report = check_file(write(*({**row, "n": n} if method != "dpo" else row for n in range(10))))
    assert report.method == method
    assert report.verdict == "accept"


def test_a_method_that_does_not_exist_is_refused(write: Callable[..., Path], chat: Chat) -> None:
    with pytest.raises(ValueError, match="supervised, dpo or reinforcement"):
        check_file(write(chat()), method="magic")


def test_the_common_system_prompt_and_tools_are_kept(report_on: ReportOn) -> None:
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]

    def line(n: int, prompt: str) -> bytes:
        messages = [
            {"role": "system", "content": prompt},
            {"role": "user", "content": f"Question {n}"},
            {"role": "assistant", "content": "Answer"},
        ]
        return json.dumps({"messages": messages, "tools": tools}).encode()

    report = report_on(b"\n".join([*(line(n, "Be brief.") for n in range(9)), line(9, "Be kind.")]))
    assert report.system_prompt == "Be brief."
    assert report.multi_system == 2
    assert report.tools == tools


def test_rows_gives_the_accepted_rows_with_their_lines(write: Callable[..., Path], good: list[bytes]) -> None:
    path = write(good[0], b"", b'{"messages": []}', b"{oops", good[1])
    assert [(line, row["messages"][0]["content"]) for line, row in rows(path)] == [
        (1, "Where is parcel 0?"),
        (5, "Where is parcel 1?"),
    ]


def test_a_ten_megabyte_line_is_read(report_on: ReportOn, good: list[bytes], chat: Chat) -> None:
    report = report_on(b"\n".join([*good, json.dumps(chat("word " * 2_000_000)).encode()]))
    assert report.verdict == "accept"
    assert report.tokens is not None
    assert report.tokens.max > 2_000_000


def test_long_file_text_is_never_repeated(report_on: ReportOn, good: list[bytes]) -> None:
    secret = "<!channel> `x` \u202e" + "s3cret" * 50
    row = json.dumps({"messages": [{"role": secret, "content": "a"}], secret: 1}).encode()
    text = json.dumps(report_on(b"\n".join([*good, row])).to_json(), ensure_ascii=False)
    assert "s3crets3crets3crets3crets3crets3crets3cret" not in text
    assert "\u202e" not in text


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_file(tmp_path / "gone.jsonl")


def test_a_validation_file_for_another_method_does_not_fit(report_on: ReportOn, good: list[bytes]) -> None:
    report = report_on(b"\n".join(good), validation=True, method="dpo")
    assert codes(report) == {"method_mismatch": 60}
    assert report.method == "dpo"


def test_one_chat_row_among_preferences_is_in_another_format(report_on: ReportOn, good: list[bytes]) -> None:
    row = b'{"conversations": [{"from": "human", "value": "%d"}]}'
    report = report_on(b"\n".join([*(row % n for n in range(12)), good[0]]))
    assert {p.code: p.lines for p in report.errors} == {
        "sharegpt_format": tuple(range(1, 13)),
        "mixed_formats": (13,),
    }
