"""Private values: found where they are, not where they are not, and never repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import HOLD, Report, check_file, examine, write_csv_report
from tuning.datasets.privacy import may_hold, scan

HEX = "0123456789abcdef"
FOUND = [
    ("secret", "AKIAIOSFODNN7EXAMPLE"),
    ("secret", "ghp_" + "a1B2" * 9),
    ("secret", "github_pat_" + "a1B2c3D4e5" * 4),
    ("secret", "glpat-" + "a1B2c3D4e5" * 2),
    ("secret", "xoxb-" + "123456789012-abcDEF123456"),
    ("secret", "sk-proj-" + "abcDEF1234567890" * 2),
    ("secret", "sk-ant-api03-" + "abcDEF1234567890" * 2),
    ("secret", "AIza" + "Sy0123456789abcdefghijklmnopqrstuvw"[:35]),
    ("secret", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    ("secret", "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH"),
    ("secret", "npm_" + "a1B2" * 9),
    ("secret", "dapi" + HEX * 2),
    ("secret", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk"),
    ("secret", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow12\n-----END RSA PRIVATE KEY-----"),
    ("payment_card", "4111 1111 1111 1111"),
    ("payment_card", "4111111111111111"),
    ("payment_card", "5500-0000-0000-0004"),
    ("payment_card", "3782 822463 10005"),
    ("payment_card", "6011000990139424"),
    ("national_id", "078-05-1120"),
    ("national_id", "900101-1234568"),
    ("national_id", "9001011234568"),
    ("email", "jane.doe+shop@mail.example.co.kr"),
    ("phone", "010-1234-5678"),
    ("phone", "01012345678"),
    ("phone", "+82 10-1234-5678"),
    ("phone", "(555) 010-0199"),
    ("phone", "555-123-4567"),
    ("phone", "+442079460958"),
    ("phone", "02-345-6789"),
    ("ip_address", "203.0.113.7"),
    ("ip_address", "2001:db8::8a2e:370:7334"),
]
IN_PART = [
    ("secret", "postgres://bob:hunter22@db.example.org/x", "hunter22"),
    ("secret", "Authorization: Bearer abcdefghij1234567890KLMN", "abcdefghij1234567890KLMN"),
    ("secret", "api_key = 'a8f5f167f44f4964e6c998dee827110c'", "a8f5f167f44f4964e6c998dee827110c"),
    ("national_id", "SSN: 219099999", "219099999"),
    ("payment_card", "card 4111 1111 1111 1111 12/26", "4111 1111 1111 1111"),
    ("payment_card", "1234 4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("phone", "2021 555-123-4567", "555-123-4567"),
]
NOT_FOUND = [
    "order 1700000000000 on 2024-01-15 10:00:00",
    "4111 1111 1111 1112",
    "3.14159265358979 and $1,234,567.89",
    "ISBN 978-3-16-148410-0",
    "123e4567-e89b-12d3-a456-426614174000",
    "version 1.2.3.4 and v10.0.19041.1 and 1.2.3.4.5",
    "127.0.0.1 and 192.168.1.300",
    "at 12:30:45, std::a::b",
    "000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567",
    "900101-1234567",
    "901301-1234568",
    "sk-some-long-css-class-name-here",
    "logo@2x.png",
    "password is correcthorse",
    "@someone said hello",
    "[EMAIL_1] [CARD_2] [SECRET_3] [ID_1] [PHONE_12] [IP_4]",
]


def values(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [(hit.code, data[hit.start : hit.end].decode()) for hit in scan(data)]


@pytest.mark.parametrize(("code", "value"), FOUND)
@pytest.mark.parametrize("around", ["{}", "it is {}.", "전화는{}입니다", "a\n{}\nb", "({})", '"{}"'])
def test_a_private_value_is_found_whatever_stands_around_it(code: str, value: str, around: str) -> None:
    assert values(around.format(value)) == [(code, value)]


@pytest.mark.parametrize(("code", "text", "value"), IN_PART)
def test_only_the_private_part_is_taken(code: str, text: str, value: str) -> None:
    assert values(text) == [(code, value)]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize(("code", "value"), FOUND)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_quick_look_at_the_raw_line_misses_nothing(code: str, value: str, ascii_only: bool) -> None:
    for around in ("\n{}\n", "\t{}\t", "é{}é"):
        line = json.dumps({"content": around.format(value)}, ensure_ascii=ascii_only).encode()
        assert may_hold(line) or b"\\u" in line, code


def test_births_since_october_2020_have_no_checksum() -> None:
    assert [code for code, _ in values("210101-3000000")] == ["national_id"]
    assert values("200101-3000000") == []


def test_hostile_texts_take_no_time() -> None:
    for text in ("a" * 300_000, "1" * 300_000, "1-" * 150_000, "@" * 100_000, "a@" * 50_000, "eyJ" * 50_000):
        scan(text.encode())


SECRET = "ghp_" + "Zz9Q" * 9
EMAIL = "jane.roe@mail.example"


def row(text: str, reply: str = "Thanks, noted.", **extra: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": reply}],
        **extra,
    }


@pytest.fixture
def private(write: Callable[..., Path], good: list[bytes]) -> Path:
    return write(
        *good,
        row(f"Mail {EMAIL} or {EMAIL}"),
        row("My card is 4111 1111 1111 1111", f"I see {SECRET}"),
        f'{{"messages": broken {EMAIL}'.encode(),
        {**row("hello"), SECRET: 1},
        {"messages": [{"role": EMAIL, "content": "hello"}]},
    )


def test_classes_are_counted_with_their_lines(private: Path) -> None:
    report = examine(private, check_file(private))
    assert {code: (found.count, found.lines) for code, found in report.privacy.items()} == {
        "secret": (2, (62, 64)),
        "payment_card": (1, (62,)),
        "email": (4, (61, 63, 65)),
    }
    assert report.needs_decision
    assert report.examined
    assert {p.code: p.count for p in report.warnings if p.code in report.privacy} == {
        "secret": 2,
        "payment_card": 1,
        "email": 3,
    }
    assert HOLD & report.privacy.keys() == {"secret", "payment_card"}
    assert Report.from_json(json.loads(json.dumps(report.to_record()))) == report


def test_no_found_value_is_repeated_anywhere(private: Path, tmp_path: Path) -> None:
    report = examine(private, check_file(private))
    write_csv_report(tmp_path / "kept.csv", report)
    write_csv_report(tmp_path / "whole.csv", report, private)
    texts = [json.dumps(report.to_json()), json.dumps(report.to_record()), repr(report)]
    texts += [(tmp_path / name).read_text("utf-8") for name in ("kept.csv", "whole.csv")]
    for text in texts:
        for value in (SECRET, EMAIL, SECRET[:20], "4111"):
            assert value not in text


def test_the_csv_names_every_private_line_once_examined(private: Path, tmp_path: Path) -> None:
    report = examine(private, check_file(private))
    write_csv_report(tmp_path / "report.csv", report, private)
    lines = (tmp_path / "report.csv").read_text("utf-8").splitlines()
    assert sum(",email," in line for line in lines) == 3
    assert any(line.startswith("62,warning,secret,") for line in lines)


def test_values_in_tool_arguments_numbers_and_keys_are_found(
    write: Callable[..., Path], good: list[bytes]
) -> None:
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "pay", "arguments": '{"card": 4111111111111111, "to": "a\\u0040b.example"}'},
    }
    messages = [
        {"role": "user", "content": "Pay"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "assistant", "content": "done"},
    ]
    path = write(*good, {"messages": messages}, row("x", note={"who@b.example": 1}))
    found = examine(path, check_file(path)).privacy
    assert {code: one.lines for code, one in found.items()} == {"payment_card": (61,), "email": (61, 62)}


def test_pictures_are_not_searched(write: Callable[..., Path], good: list[bytes]) -> None:
    url = "data:image/png;base64,4111111111111111" + "A" * 40
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    path = write(*good, {"messages": [message, {"role": "assistant", "content": "a cat"}]})
    assert examine(path, check_file(path)).privacy == {}


def test_a_file_that_is_no_text_says_it_was_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00abc")
    report = examine(path, check_file(path))
    assert report.notes
    assert report.privacy == {}
