"""A file read as the format that a person chose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import FORMATS, check_file, likely, repair

Write = Callable[..., Path]


def made(path: Path, read_as: str, tmp_path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    found = repair(path, out := tmp_path / "out.jsonl", read_as=read_as)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return rows, [f"{change.message} · {change.count} · {change.lines[:2]}" for change in found.changes]


def chat(*said: str) -> dict[str, Any]:
    roles = ("user", "assistant") * len(said)
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]}


def gemini(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def turns(who: str, user: str, what: str, assistant: str) -> list[dict[str, str]]:
    return [{who: user, what: "A"}, {who: assistant, what: "B"}]


@pytest.mark.parametrize(
    ("read_as", "row", "becomes"),
    [
        ("pairs", {"Question": "A", "Answer": " B ", "id": 7}, chat("A", "B")),
        ("pairs", {"input": "A", "output": "B"}, chat("A", "B")),
        ("alpaca", {"instruction": "A", "input": "a", "response": "B"}, chat("A\n\na", "B")),
        ("alpaca", {"instruction": "A", "target": "B"}, chat("A", "B")),
        ("sharegpt", {"conversation": turns("from", "human", "value", "gpt")}, chat("A", "B")),
        ("chat", {"dialogue": turns("speaker", "Customer", "text", "Agent")}, chat("A", "B")),
        ("chat", {"contents": [gemini("user", "A"), gemini("model", "B")]}, chat("A", "B")),
        ("chat", {**chat("A", "B"), "label": "x", "id": 3}, chat("A", "B")),
        ("chat", {"messages": turns("role", "human", "content", "bot")}, chat("A", "B")),
    ],
)
def test_rows_become_chat(
    read_as: str, row: dict[str, Any], becomes: dict[str, Any], write: Write, tmp_path: Path
) -> None:
    rows, changes = made(write(row, row), read_as, tmp_path)
    assert rows == [becomes, becomes]
    assert changes == [f"read as {FORMATS[read_as].title} · 2 · (1, 2)"]


def test_a_system_prompt_beside_the_texts_comes_first(write: Write, tmp_path: Path) -> None:
    rows, _ = made(write({"system": "Be brief.", "question": "A", "answer": "B"}), "pairs", tmp_path)
    assert rows[0]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_preferences_by_other_names(write: Write, tmp_path: Path) -> None:
    rows, _ = made(write({"question": "A", "preferred": "B", "refused": "C"}), "preference", tmp_path)
    assert rows == [
        {
            "input": {"messages": [{"role": "user", "content": "A"}]},
            "preferred_output": [{"role": "assistant", "content": "B"}],
            "non_preferred_output": [{"role": "assistant", "content": "C"}],
        }
    ]


def test_rows_that_are_right_and_rows_that_do_not_fit_stay_as_they_are(
    write: Write, good: list[bytes], tmp_path: Path
) -> None:
    odd = {"question": ["no", "text"], "answer": "B"}
    path = write(good[0], odd, {"question": "A", "answer": "B"})
    rows, changes = made(path, "pairs", tmp_path)
    assert rows == [json.loads(good[0]), odd, chat("A", "B")]
    assert changes == ["read as Prompt and completion · 1 · (3,)"]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_table_with_line_breaks_in_its_cells(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f'"ask {n}\nplease"{separator}"reply; {n}, ""so"""' for n in range(12)]
    path.write_text("\ufeff" + "\n".join([f"Prompt{separator}Completion", *rows, ""]), "utf-8")
    read, changes = made(path, "pairs", tmp_path)
    assert read[1] == chat("ask 1\nplease", 'reply; 1, "so"')
    assert changes == ["read as Prompt and completion · 12 · (2, 4)"]
    assert check_file(tmp_path / "out.jsonl").verdict == "accept"
    assert repair(path, tmp_path / "again.jsonl", read_as="pairs").lines[1] == 4


def test_a_table_with_a_column_of_messages(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    cell = json.dumps(chat("A", "B")["messages"]).replace('"', '""')
    path.write_text(f'id,messages\n1,"{cell}"\n2,"{cell}"\n')
    assert made(path, "chat", tmp_path)[0] == [chat("A", "B")] * 2


def test_a_table_stays_as_it_is_until_somebody_says_how_to_read_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("prompt,completion\nA,B\nC,D\n")
    assert repair(path, tmp_path / "out.jsonl").changes == ()
    assert check_file(tmp_path / "out.jsonl").errors[0].code == "csv_file"


def test_a_list_is_read_as_the_format_too(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"question": f"A{n}", "answer": "B"} for n in range(3)], indent=1))
    rows, changes = made(path, "pairs", tmp_path)
    assert rows[2] == chat("A2", "B")
    assert "read as Prompt and completion · 3 · (2, 6)" in changes


@pytest.mark.parametrize(
    ("codes", "format_"),
    [
        (["alpaca_format"], "alpaca"),
        (["invalid_json", "csv_file"], "pairs"),
        (["unknown_key"], "chat"),
        ([], "chat"),
    ],
)
def test_the_format_offered_first_is_what_the_check_saw(codes: list[str], format_: str) -> None:
    assert likely(codes) == format_
