"""Tokens: exact counts for the base's encoding, with the overhead of chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import splintr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuning.datasets import Report, base_info
from tuning.datasets.tokenizers import QuickTokenizer, SteadyTokenizer
from tuning.datasets.tokens import TokenCounter
from tuning.datasets.weighing import Scale, weigh

ReportOn = Callable[..., Report]
MESSAGES = [
    {"role": "system", "content": "You sort tickets."},
    {"role": "user", "name": "Jin", "content": "Wo ist mein Paket? 어디에 있나요?"},
    {"role": "assistant", "content": "shipping | normal"},
]


def counted(row: dict[str, Any], encoding: str = "o200k_base") -> int:
    scale = Scale()
    scale.add(1, row, None)
    [(_, tokens)] = TokenCounter(encoding).add(scale.load())
    return tokens


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_three_a_message_one_a_name_three_an_example_and_every_text(encoding: str) -> None:
    tokenizer = splintr.Tokenizer.from_pretrained(encoding)
    texts = sum(len(tokenizer.encode_ordinary(value)) for message in MESSAGES for value in message.values())
    assert counted({"messages": MESSAGES}, encoding) == texts + 3 * 3 + 1 + 3


def test_known_counts_of_the_public_encodings() -> None:
    # tiktoken's own documentation: "tiktoken is great!" is 6 tokens in both encodings.
    row = {"messages": [{"content": "tiktoken is great!"}]}
    assert counted(row, "cl100k_base") == counted(row, "o200k_base") == 6 + 3 + 3


def test_control_tokens_count_as_the_plain_text_they_are() -> None:
    plain = counted({"messages": [{"content": "<|endoftext|>"}]}) - 6
    assert plain > 1


def test_tool_calls_and_definitions_weigh_too() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 1}'}}
    row = {"messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]}
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"properties": {"id": {}}}}}
    assert counted(row) > counted({"messages": [{"role": "assistant"}]})
    assert counted({**row, "tools": [tool]}) > counted(row) + 7 + 12


def test_an_image_of_unknown_size_makes_the_count_an_estimate() -> None:
    def exact(detail: str) -> bool:
        part = {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": detail}}
        return weigh({"messages": [{"role": "user", "content": [part]}]}).exact

    assert exact("low")
    assert not exact("high")


def test_median_p95_and_longest_of_a_file(report_on: ReportOn, good: list[bytes]) -> None:
    tokens = report_on(b"\n".join(good)).tokens
    assert tokens is not None
    assert (tokens.encoding, tokens.exact, tokens.limit) == ("o200k_base", True, None)
    assert tokens.median <= tokens.p95 <= tokens.max < tokens.total


def test_rows_past_the_base_s_limit_are_named(report_on: ReportOn, good: list[bytes]) -> None:
    long = b'{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "x"}]}'
    data = b"\n".join([*good, long % (b"word " * 70_000)])
    report = report_on(data, base=base_info("gpt-4.1-mini"))
    problem = report.problems[0]
    assert (problem.code, problem.severity, problem.lines) == ("over_token_limit", "warning", (61,))
    assert report.tokens is not None
    assert report.tokens.over_limit == 1
    assert report.cost is not None
    cut_off = report.tokens.max - 65_536
    assert report.cost.billed_tokens == (report.tokens.total - cut_off) * 3


def test_another_tokenizer_gives_an_estimate_that_says_so(report_on: ReportOn, good: list[bytes]) -> None:
    tokens = report_on(b"\n".join(good), base=base_info("qwen2.5-7b")).tokens
    assert tokens is not None
    assert not tokens.exact


@pytest.fixture(scope="module", params=["o200k_base", "cl100k_base"])
def both(request: pytest.FixtureRequest) -> tuple[SteadyTokenizer, QuickTokenizer]:
    steady = SteadyTokenizer(request.param)
    return steady, QuickTokenizer(request.param, steady)


PIECES = st.sampled_from(
    ["a", "B", "word", "Word's", "'LL", " ", "  ", "\t", "\n", "\r\n", "\u3000", "\u200b", "1", "12345", "#",
     "...", "/", "é", "ß", "한국어", "日本", "عربي", "ไทย", "e\u0301", "😀", "👩\u200d👧", "\ud7ff", "\ue000",
     "\U0010ffff", "<", "|>"]
)  # fmt: skip
LETTERS = st.characters(exclude_categories=["Cs", "Cn"])
"""The two differ in the letters of the newest Unicode, which Python does not know yet."""
TEXTS = st.lists(st.lists(PIECES, min_size=1, max_size=12).map("".join) | st.text(LETTERS), max_size=4)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example(["x", "\n\n", "x"])
def test_the_fast_tokenizer_counts_what_the_other_counts(
    both: tuple[SteadyTokenizer, QuickTokenizer], texts: list[str]
) -> None:
    steady, quick = both
    texts = [text for text in (text.replace("\0", "").replace("<|", "") for text in texts) if text]
    blob = "\0".join(texts).encode()
    assert quick.upto(blob, len(texts)).tolist() == steady.upto(blob, len(texts)).tolist()
    assert [quick.count(text) for text in texts] == [steady.count(text) for text in texts]


@pytest.mark.parametrize("text", ["<|endoftext|>", "a\0b", "", "<|im_start|>한국어<|"])
def test_the_fast_tokenizer_takes_control_tokens_for_text(
    both: tuple[SteadyTokenizer, QuickTokenizer], text: str
) -> None:
    steady, quick = both
    assert quick.count(text) == steady.count(text)
