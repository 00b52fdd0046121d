"""``ftbot check``: verdict, exit code, JSON and the table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.check import check


@pytest.fixture
def examples(root: Path) -> Path:
    return root / "examples"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(check, [str(argument) for argument in arguments])


def test_a_good_file_is_accepted_with_a_price(examples: Path) -> None:
    result = run(examples / "triage.jsonl", "--model", "gpt-4.1-mini")
    assert result.exit_code == 0
    assert "Ready to train" in result.output
    assert "60 examples" in result.output
    assert "about $0.0" in result.output


def test_a_broken_file_is_rejected_with_all_its_problems(examples: Path) -> None:
    result = run(examples / "broken.jsonl")
    assert result.exit_code == 1
    assert "8 of 14 rows need work" in " ".join(result.output.split())
    assert "lookup_order" in result.output
    assert "lines 4, 8" in result.output


def test_wrong_usage_exits_two(examples: Path) -> None:
    assert run("no-such-file.jsonl").exit_code == 2
    assert run(examples / "triage.jsonl", "--method", "magic").exit_code == 2
    assert run(examples / "triage.jsonl", "--epochs", "0").exit_code == 2
    assert run().exit_code == 2


def test_json_is_one_object_with_the_promised_keys(examples: Path) -> None:
    result = run(examples / "broken.jsonl", "--json", "--epochs", "4")
    promised = json.loads(result.output)
    assert result.exit_code == 1
    assert list(promised) == [
        "file", "sha256", "bytes", "method", "examples", "verdict", "problems", "tokens", "cost",
    ]  # fmt: skip
    assert promised["cost"]["epochs"] == 4
    assert set(promised["problems"][0]) == {"severity", "code", "count", "lines", "message", "fix"}


def test_a_validation_file_is_checked_against_the_training_file(examples: Path) -> None:
    fine = run(examples / "triage.jsonl", "--validation", examples / "triage-validation.jsonl")
    assert fine.exit_code == 0
    same = run(examples / "triage.jsonl", "--validation", examples / "triage.jsonl", "--json")
    assert same.exit_code == 1
    promised = json.loads(same.output)
    assert promised["verdict"] == "reject"
    assert promised["problems"][0]["code"] == "validation_rejected"
    assert promised["validation"]["problems"][0]["code"] == "validation_overlap"


def test_the_report_names_every_line(examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    assert run(examples / "broken.jsonl", "--report", out).exit_code == 1
    with out.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["line"] for row in table if row["code"] == "no_assistant_message"] == ["4", "8"]


def test_markup_in_a_file_name_or_field_is_shown_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "[red]x.jsonl"
    path.write_text('{"messages": [], "[bold]": 1}\n', encoding="utf-8")
    result = run(path)
    assert "[red]x.jsonl" in result.output


def test_a_repaired_copy_is_checked_with_the_lines_of_the_file(tmp_path: Path, examples: Path) -> None:
    dropped, out = tmp_path / "dropped.jsonl", tmp_path / "out.jsonl"
    good = (examples / "triage.jsonl").read_bytes().splitlines()
    data = b"\r\n".join([*good[:5], b"", b"{'messages': []}", *good[5:]])
    dropped.write_bytes(data)
    result = run(dropped, "--repair", out, "--json")
    report = json.loads(result.stdout)
    assert dropped.read_bytes() == data
    assert report["file"] == "dropped.jsonl"
    assert [(p["code"], p["lines"]) for p in report["problems"]] == [("empty_messages", [7])]
    assert {change["code"] for change in report["repair"]} == {"crlf", "blank_lines", "python_dict"}
    assert "Repaired to" in run(dropped, "--repair", out).stdout


def test_a_redacted_and_split_copy(tmp_path: Path, examples: Path) -> None:
    dropped = tmp_path / "dropped.jsonl"
    secret = "ghp_" + "a1B2" * 9
    row = {"messages": [{"role": "user", "content": secret}, {"role": "assistant", "content": "noted"}]}
    dropped.write_bytes((examples / "triage.jsonl").read_bytes() + json.dumps(row).encode())
    assert "To decide before it leaves: 1 secret (line 61)" in run(dropped).stdout
    train, valid = tmp_path / "train.jsonl", tmp_path / "valid.jsonl"
    result = run(dropped, "--redact", tmp_path / "out.jsonl", "--split", train, valid)
    assert result.exit_code == 0
    assert secret not in result.output
    both = train.read_bytes() + valid.read_bytes()
    assert b"[SECRET_1]" in both
    assert secret.encode() not in both
    assert len(both.splitlines()) == 61


def test_a_copy_never_overwrites_the_file(tmp_path: Path, examples: Path) -> None:
    dropped = tmp_path / "dropped.jsonl"
    dropped.write_bytes((examples / "triage.jsonl").read_bytes())
    assert run(dropped, "--redact", dropped).exit_code == 2


def test_a_price_of_answers_stands_beside_that_of_training(examples: Path) -> None:
    result = run(examples / "triage.jsonl", "--model", "gpt-4.1-mini", "--json")
    assert json.loads(result.stdout)["cost"]["serving_usd_per_1k"] == pytest.approx(0.1, rel=0.6)
    shown = run(examples / "triage.jsonl", "--model", "gpt-4.1-mini").stdout
    assert "1,000 answers then about $0." in " ".join(shown.split())
