"""Physical lines: what ends one, across any border between chunks."""

from __future__ import annotations

import io

from hypothesis import example, given
from hypothesis import strategies as st

from tuning.datasets import lines
from tuning.datasets.lines import Line, lines_between, parts, physical_lines


class Dribble(io.BytesIO):
    """Gives a few bytes a read, so that every border falls between two reads."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.step)


def test_only_lf_crlf_and_cr_end_a_line() -> None:
    data = "a\nb\r\nc\rd\u2028e\u0085f\x0bg\x0ch".encode()
    assert [line.data for line in physical_lines(io.BytesIO(data))] == [
        b"a", b"b", b"c", "d\u2028e\u0085f\x0bg\x0ch".encode(),
    ]  # fmt: skip


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\xe2\x80\xa8"])), st.integers(1, 5))
def test_lines_and_offsets_add_up_to_the_file(pieces: list[bytes], step: int) -> None:
    data = b"".join(pieces)
    seen: list[bytes] = []
    read = list(physical_lines(Dribble(data, step), seen.append))
    assert b"".join(seen) == data
    assert b"".join((line.data or b"") + line.ending for line in read) == data
    assert [line.data for line in read] == data.splitlines()
    assert [line.number for line in read] == list(range(1, len(read) + 1))
    offset = 0
    for line in read:
        assert line.offset == offset
        offset += len(line.data or b"") + len(line.ending)


def test_a_line_past_the_limit_is_let_go_and_the_next_is_read() -> None:
    read = list(physical_lines(Dribble(b"x" * 50 + b"\nshort\n", 7), max_line=20))
    assert read == [Line(1, None, 0, b"\n"), Line(2, b"short", 51, b"\n")]
    assert lines.MAX_LINE > 100 << 20


@given(st.text("ab\r\n", max_size=60), st.integers(1, 20))
@example("a" * 15 + "\r\nb", 16)
@example("\r\n" * 9, 1)
def test_parts_are_whole_lines_and_together_the_file(text: str, size: int) -> None:
    data = text.encode()
    cuts = list(parts(io.BytesIO(data), size=size))
    assert [start for start, _ in cuts] == [0, *(stop for _, stop in cuts)][: len(cuts)]
    assert (cuts[-1][1] if cuts else 0) == len(data)
    whole = physical_lines(io.BytesIO(data))
    ends = {line.offset + len(line.data or b"") + len(line.ending) for line in whole}
    assert {stop for _, stop in cuts} <= ends
    stream = io.BytesIO(data)
    apart = [line.data for start, stop in cuts for line in lines_between(stream, start, stop)]
    assert apart == [line.data for line in physical_lines(io.BytesIO(data))]
