"""Quality across rows: near duplicates, contradictions, overlap, split, difference, chart."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import check_file, difference, examination, examine, split, token_chart
from tuning.datasets.worker import Worker

Row = dict[str, Any]
WORDS = [f"word{n}" for n in range(400)]


def text(seed: int, size: int = 60) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=size))


def row(user: str, reply: str = "Yes, it is on its way.", system: str | None = None) -> Row:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": reply}]
    return {"messages": [{"role": "system", "content": system}, *messages] if system else messages}


def found(path: Path, **options: Any) -> dict[str, tuple[int, ...]]:
    report = examine(path, check_file(path), **options)
    return {p.code: p.lines for p in report.problems if p.code not in ("few_examples", "too_few_examples")}


def test_near_duplicates_are_told_with_the_line_they_are_like(write: Callable[..., Path]) -> None:
    rows = [row(text(n)) for n in range(20)]
    loud = row(text(3).upper().replace(" ", ",  ") + "!")
    one_word = row(text(5) + " more")
    half = row(" ".join(text(7).split()[:30] + text(99).split()[:30]))
    path = write(*rows, loud, one_word, half)
    report = examine(path, check_file(path))
    [problem] = [p for p in report.problems if p.code == "near_duplicates"]
    assert problem.lines == (21, 22)
    assert problem.message == "2 rows nearly repeat an earlier one (line 21, like line 4)"
    assert report.verdict == "accept"


def test_exact_repeats_are_not_told_twice(write: Callable[..., Path]) -> None:
    assert found(write(*(row(text(n % 20)) for n in range(40)))) == {
        "duplicate_examples": tuple(range(21, 41))
    }


def test_texts_without_spaces_between_words_are_compared_too(write: Callable[..., Path]) -> None:
    letters = [chr(0x4E00 + n) for n in range(500)]
    texts = ["".join(random.Random(n).choices(letters, k=80)) for n in range(12)]
    path = write(*(row(one, "好") for one in texts), row(texts[2] + "了", "好"))
    assert found(path) == {"near_duplicates": (13,)}


def test_one_prompt_with_different_answers(write: Callable[..., Path]) -> None:
    rows = [row(f"Where is parcel {n}?", "shipping") for n in range(12)]
    path = write(
        *rows, row("Where is parcel 3?", "billing"), row("Where is parcel 3?", "billing", "Be kind.")
    )
    report = examine(path, check_file(path))
    [problem] = [p for p in report.problems if p.code == "conflicting_answers"]
    assert (problem.lines, problem.severity) == ((13,), "warning")
    assert "line 4 asks the same" in problem.message


def test_answers_far_shorter_than_the_rest(write: Callable[..., Path]) -> None:
    rows = [row(text(n, 5), text(n + 1_000, 40)) for n in range(30)]
    assert found(write(*rows, row(text(77, 5), "No."))) == {"short_answer": (31,)}


def test_rows_without_the_system_prompt_the_others_have(write: Callable[..., Path]) -> None:
    rows = [row(text(n, 9), text(n + 1_000, 4), "Be brief.") for n in range(20)]
    assert found(write(*rows, row(text(77, 9), text(88, 4)))) == {"missing_system_prompt": (21,)}


def test_the_share_of_each_system_prompt_is_told(write: Callable[..., Path]) -> None:
    rows = [
        row(text(n, 9), text(n + 1_000, 4), "Be brief." if n % 4 else "Mail a@b.example.") for n in range(20)
    ]
    report = examine(path := write(*rows), check_file(path))
    assert [(one.text, one.rows, round(one.share, 2)) for one in report.prompts] == [
        ("`Be brief.`", 15, 0.75),
        ("`Mail [email].`", 5, 0.25),
    ]


def test_a_validation_row_close_to_a_training_row_is_an_error(write: Callable[..., Path]) -> None:
    training = write(*(row(text(n)) for n in range(20)), name="training.jsonl")
    held_out = write(row(text(50)), row(text(4) + " please"), row(text(6)), name="validation.jsonl")
    report = check_file(held_out, validation=True, against=training)
    assert report.verdict == "reject"
    report = examine(held_out, report, against=training)
    assert {p.code: p.lines for p in report.errors} == {
        "validation_overlap": (3,),
        "validation_near_overlap": (2,),
    }
    assert report.bad_rows == 2


def test_workers_see_what_one_process_sees(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(text(n % 300) + (" more" if n > 300 else "")) for n in range(400)]
    path = write(*rows, row("mail a@b.example"), b"{oops a@c.example", b"")
    report = check_file(path)
    alone = examine(path, report)
    monkeypatch.setattr(examination, "PIECE", 20_000)
    seen: list[tuple[int, int]] = []
    assert examine(path, report, workers=2, progress=lambda done, total: seen.append((done, total))) == alone
    assert len(seen) > 5
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert alone.privacy["email"].lines == (401, 402)


def test_the_second_look_goes_on_when_its_workers_are_killed(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(*(row(text(n % 90)) for n in range(120)), row("mail a@b.example"))
    report = check_file(path)
    alone = examine(path, report)
    order = Worker.order

    def order_then_kill(worker: Worker[Any], start: int, stop: int) -> None:
        order(worker, start, stop)
        os.kill(worker.pid, signal.SIGKILL)

    monkeypatch.setattr(Worker, "order", order_then_kill)
    monkeypatch.setattr(examination, "PIECE", 2_000)
    assert examine(path, report, workers=2) == alone


def test_the_second_look_at_the_shipped_examples_finds_nothing(root: Path) -> None:
    training, held_out = root / "examples/triage.jsonl", root / "examples/triage-validation.jsonl"
    assert examine(training, check_file(training)).problems == ()
    report = check_file(held_out, validation=True, against=training)
    assert examine(held_out, report, against=training).problems == ()


# --- split ------------------------------------------------------------------------------------------------
def systems(path: Path) -> list[str]:
    return [json.loads(line)["messages"][0]["content"] for line in path.read_bytes().splitlines()]


def test_a_split_keeps_the_share_of_each_prompt_and_repeats_itself(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(*(row(text(n, 12), text(n, 3), "A" if n % 4 else "B") for n in range(200)), b"", b"{oops")
    train, valid = tmp_path / "train.jsonl", tmp_path / "valid.jsonl"
    result = split(path, train, valid)
    assert (result.train_rows, result.valid_rows) == (180, 20)
    assert (systems(valid).count("A"), systems(valid).count("B")) == (15, 5)
    rows = path.read_bytes().splitlines()
    assert [rows[line - 1] for line in result.valid_lines] == valid.read_bytes().splitlines()
    assert sorted([*result.train_lines, *result.valid_lines]) == list(range(1, 201))
    first = valid.read_bytes()
    split(path, train, valid)
    assert valid.read_bytes() == first
    split(path, train, valid, seed=8)
    assert valid.read_bytes() != first


def test_rows_that_are_alike_are_never_split(write: Callable[..., Path], tmp_path: Path) -> None:
    rows = [row(text(n)) for n in range(100)]
    near = [row(text(n) + " please") for n in range(100)]
    path = write(*rows, *rows[:50], *near)
    train, valid = tmp_path / "train.jsonl", tmp_path / "valid.jsonl"
    result = split(path, train, valid, share=0.2)
    assert 40 <= result.valid_rows <= 60
    report = examine(valid, check_file(valid, validation=True, against=train), against=train)
    assert not report.errors


def test_an_impossible_share_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        split(write(row("a")), tmp_path / "a", tmp_path / "b", share=1.0)


# --- difference, chart --------------------------------------------------------------------------------------
def test_a_difference_counts_added_removed_and_changed(write: Callable[..., Path]) -> None:
    old = write(*(row(f"q{n}", "a") for n in range(10)), row("twice"), name="old.jsonl")
    spelled = json.dumps(row("q0", "a"), indent=None, separators=(" , ", " : ")).encode()
    new = write(
        row("new"), row("twice"), row("twice"), *(row(f"q{n}", "b" if n > 7 else "a") for n in range(2, 10)),
        spelled, name="new.jsonl",
    )  # fmt: skip
    result = difference(old, new, tokens=(100, 90))
    assert (result.added, result.removed, result.changed, result.tokens_delta) == (2, 1, 2, -10)
    assert difference(old, old).same
    assert not result.same


def test_a_difference_to_an_empty_file(write: Callable[..., Path]) -> None:
    old, new = write(row("a"), row("b"), name="old.jsonl"), write(name="new.jsonl")
    assert (difference(old, new).removed, difference(new, old).added) == (2, 2)


def test_the_chart_says_in_words_what_it_shows(write: Callable[..., Path]) -> None:
    path = write(*(row(text(n, 5 + n)) for n in range(30)))
    tokens = check_file(path).tokens
    assert tokens is not None
    chart = token_chart(path, 120, name="triage.jsonl")
    assert chart is not None
    assert chart.png.startswith(b"\x89PNG")
    assert chart.title == "Tokens an example of triage.jsonl"
    assert f"up to {tokens.median:,}, 95 % up to {tokens.p95:,}" in chart.alt
    assert f"to {tokens.max:,} tokens" in chart.alt
    assert "over the limit of 120" in chart.alt


@pytest.mark.parametrize("lengths", [[1], [5, 5, 5], [0, 3], [10, 20, 900_000], list(range(1, 3_000))])
def test_a_chart_of_any_lengths(lengths: list[int]) -> None:
    chart = token_chart(lengths)
    assert chart is not None
    assert chart.png.startswith(b"\x89PNG")


def test_no_examples_no_chart() -> None:
    assert token_chart([]) is None
