"""The check, its second look, repair, redaction and split on very many damaged files."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import pytest

from tests.support.drops import whole_way
from tuning.datasets import FORMATS
from tuning.datasets.privacy import scan
from tuning.datasets.rules.examples import FILES, PREFERENCES, ROWS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUNDS = 1_500
SEEDS = [*(text.encode() for table in (ROWS, PREFERENCES, FILES) for text in table.values())]
BITS = (
    b'"', b"'", b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\\ud800", b"\n", b"\r", b"\r\n", b"\0",
    b"\xff",
    b"\xef\xbb\xbf", b"\xff\xfe", "“".encode(), "\u2028".encode(), b"null", b"NaN", b"1e999", b"9" * 30,
    b"//",
    b"#",
    b"a@b.example", b"4111 1111 1111 1111", b"078-05-1120", b"<|endoftext|>", b"[" * 400,
    b"{'a': (1,)}",
)  # fmt: skip


def damaged(draw: random.Random) -> bytes:
    """A few seeds as lines, with bytes cut out, put in, doubled, or written in another encoding."""
    data = bytearray(
        draw.choice((b"\n", b"\n", b"\r\n", b"\r")).join(draw.choices(SEEDS, k=draw.randint(1, 14)))
    )
    for _ in range(draw.randint(0, 8)):
        at = draw.randint(0, len(data))
        action = draw.random()
        if action < 0.4:
            data[at:at] = draw.choice(BITS)
        elif action < 0.7:
            del data[at : at + draw.randint(1, 20)]
        else:
            data[at:at] = data[at : at + draw.randint(1, 200)]
    if draw.random() < 0.03:
        return gzip.compress(data)
    if draw.random() < 0.05:
        return bytes(data).decode("utf-8", "replace").encode(draw.choice(("utf-16", "utf-32", "utf-16-le")))
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_crash_nothing_and_no_private_value_is_repeated(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    path = tmp_path / "in.jsonl"
    for number in range(ROUNDS // 4):
        data = damaged(draw)
        path.write_bytes(data)
        try:
            one_file(path, draw.choice((None, None, *FORMATS)))
        except Exception as problem:
            problem.add_note(f"seed {seed}, file {number}: {data!r}")
            raise


def one_file(path: Path, read_as: str | None = None) -> None:
    report = whole_way(path, path.parent, read_as)
    for text in (json.dumps(report.to_json()), path.with_name("report.csv").read_text("utf-8")):
        assert not scan(re.sub(r'"sha256": "\w+"', "", text).encode())
