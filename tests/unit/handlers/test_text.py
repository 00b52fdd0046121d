from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.text import (
    TailFilter,
    about,
    cut,
    date,
    duration,
    esc,
    harmless_markdown,
    left,
    lines,
    money,
    name,
    number,
    plural,
    size,
)

ACTS = re.compile(r"<[^\s]")

hostile = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "<",
                ">",
                "!",
                "@",
                "#",
                "<!channel>",
                "<@U123>",
                "<#C1>",
                "<https://evil.example|safe>",
                "](",
                "]",
                "(https://evil.example)",
                "[bank",
                "&lt;",
                "|",
                "<!subteam^S1>",
                "<!date^1^{time}^x>",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=12,
)


@given(hostile)
@example(["<", "!channel", ">"])
@example(["<!chan", "nel>"])
@example(["[safe", "]", "(https://evil.example)"])
def test_streamed_text_never_pings_nor_hides_a_link_however_it_is_split(deltas):
    tail = TailFilter()
    shown = "".join(tail.feed(delta) for delta in deltas) + tail.close()
    assert "<" not in shown
    assert "](" not in shown
    assert "]:" not in shown
    assert shown == harmless_markdown("".join(deltas))


@given(hostile)
def test_streamed_text_loses_nothing_that_was_said(deltas):
    tail = TailFilter()
    shown = "".join(tail.feed(delta) for delta in deltas) + tail.close()
    said = "".join(deltas)
    assert plain(shown) == plain(said)


def plain(text):
    """The text without what makes it harmless."""
    return text.replace("&lt;", "<").replace("] (", "](").replace("] :", "]:")


def test_ordinary_text_passes_at_once():
    tail = TailFilter()
    assert tail.feed("billing | low") == "billing | low"
    assert tail.close() == ""


@given(st.text())
def test_escaped_text_holds_no_token(text):
    assert not ACTS.search(esc(text))
    assert "<" not in esc(text)


@given(st.text())
def test_a_name_stays_on_one_line_and_short(text):
    shown = name(text)
    assert 0 < len(shown) <= 80
    assert "\n" not in shown
    assert "\u202e" not in shown


def test_a_long_name_keeps_its_ending():
    assert name("a" * 200 + ".jsonl").endswith("aaa.jsonl")


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (None, "price unknown"),
        (0, "no fee"),
        (0.004, "less than $0.01"),
        (4.776, "$4.78"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(usd, words):
    assert money(usd) == words


def test_an_estimate_says_about_only_with_a_figure():
    assert about(4.78) == "about $4.78"
    assert about(0) == "no fee"
    assert about(None) == "price unknown"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (42, "42 s"),
        (59.7, "1 min"),
        (47 * 60, "47 min"),
        (6720, "1 h 52 min"),
        (3600, "1 h"),
        (86_400 * 3 + 4 * 3600, "3 d 4 h"),
        (86_399, "1 d"),
    ],
)
def test_durations_are_short(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "under a minute left"), (60, "1–2 min left"), (900, "12–18 min left"), (9000, "2–3 h left")],
)
def test_time_left_is_a_range(seconds, words):
    assert left(seconds) == words


def test_small_words():
    assert number(318_400) == "318,400"
    assert plural(1, "row") == "1 row"
    assert plural(2, "row") == "2 rows"
    assert size(2_000_000) == "2.0 MB"
    assert cut("abcdef", 4) == "abc…"
    assert date(0, "{time}") == "<!date^0^{time}|1970-01-01 00:00 UTC>"


def test_lines_name_the_first_three():
    assert lines((88, 412, 413), 9) == "lines 88, 412, 413 +6"
    assert lines((640, 641), 2) == "lines 640, 641"
    assert lines((7,), 1) == "line 7"
    assert lines((), 1) == ""
