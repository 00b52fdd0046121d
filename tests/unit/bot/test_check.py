"""``ftbot check``: verdict, exit code, JSON and the table."""

from __future__ import annotations

import csv
import gzip
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


def test_an_overlap_can_be_let_stand_by_name(examples: Path, tmp_path: Path) -> None:
    training = examples / "triage.jsonl"
    held_out = tmp_path / "held-out.jsonl"
    held_out.write_bytes(b"\n".join(training.read_bytes().splitlines()[:3]))
    assert run(training, "--validation", held_out).exit_code == 1
    result = run(training, "--validation", held_out, "--allow-overlap", "--json")
    promised = json.loads(result.stdout)
    assert (result.exit_code, promised["verdict"]) == (0, "accept")
    assert promised["overlap"]["rows"] == 3
    assert promised["overlap"]["allowed_by"]
    assert {p["severity"] for p in promised["validation"]["problems"] if "overlap" in p["code"]} == {
        "warning"
    }
    shown = run(training, "--validation", held_out, "--allow-overlap").stdout
    assert "3 validation rows may stand in both files: allowed by" in shown
    assert "Ready to validate" in shown


def test_reinforcement_files_need_the_same_columns(tmp_path: Path) -> None:
    def rows(start: int, **columns: str) -> str:
        asked = [f"What is {n} and {n * 31}?" for n in range(start, start + 12)]
        made = [{"messages": [{"role": "user", "content": words}], **columns} for words in asked]
        return "\n".join(map(json.dumps, made))

    training, held_out = tmp_path / "train.jsonl", tmp_path / "valid.jsonl"
    training.write_text(rows(0, answer="7", level="easy"))
    held_out.write_text(rows(90, answer="7"))
    result = run(training, "--validation", held_out)
    assert result.exit_code == 1
    assert "without `level`" in " ".join(result.output.split())
    assert "needs a validation file with the same columns" in " ".join(run(training).output.split())


def test_a_packed_file_is_put_right_as_a_whole(tmp_path: Path, examples: Path) -> None:
    packed, out = tmp_path / "triage.jsonl.gz", tmp_path / "out.jsonl"
    packed.write_bytes(gzip.compress((examples / "triage.jsonl").read_bytes()))
    assert "→ --repair OUT puts this right in a copy" in run(packed).stdout
    result = run(packed, "--repair", out)
    assert "  unpacked" in result.stdout.splitlines()
    assert result.exit_code == 0


def test_a_table_is_read_as_what_a_person_says_it_is(tmp_path: Path) -> None:
    table, out = tmp_path / "table.csv", tmp_path / "out.jsonl"
    table.write_text("question,answer\n" + "".join(f"Where is {n * 31}?,shelf {n}\n" for n in range(60)))
    refused = run(table)
    assert "--read-as FORMAT" in refused.stdout
    assert refused.exit_code == 1
    result = run(table, "--repair", out, "--read-as", "pairs")
    assert result.exit_code == 0
    assert "60 × read as Prompt and completion · lines 2, 3" in result.stdout
    assert run(table, "--read-as", "pairs").exit_code == 2


def test_the_verdict_comes_first_and_each_problem_with_its_fix_under_it(examples: Path) -> None:
    lines = run(examples / "broken.jsonl").stdout.splitlines()
    assert lines[0] == "✗ Not ready · broken.jsonl · 8 of 14 rows need work"
    assert lines[1] == "  ✗ 2 rows have no assistant reply, nothing to learn from · lines 4, 8"
    assert lines[2] == "    → add the reply or delete the row"
    marks = [line[2] for line in lines if line[:2] == "  " and line[2] in "✗!"]
    assert marks == sorted(marks, key="✗!".index)
    assert "→ --repair OUT puts 2 of 8 right in a copy" in lines
    assert "→ --repair OUT --read-as chat leaves fields out that chat does not take" in lines
    assert "2 system prompts" in "\n".join(lines) or "1 system prompt, " in "\n".join(lines)


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
