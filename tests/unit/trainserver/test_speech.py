"""The text of an answer while it comes: whole characters, nothing of a stop text, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from trainserver.speech import Speech, doubtful
from trainserver.template import load_tokenizer
from trainserver.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("text", "stops", "held"),
    [
        ("abc", (), 0),
        ("abc##", ("###",), 2),
        ("abc#", ("###", "c#!"), 2),
        ("ab#", ("#é",), 1),
        ("abc", ("x",), 0),
    ],
)
def test_text_that_may_begin_a_stop_text_is_held_back(text: str, stops: tuple[str, ...], held: int):
    assert doubtful(text, stops) == held


@pytest.fixture(scope="module")
def words(tiny: Path) -> Vocabulary:
    return Vocabulary(load_tokenizer(tiny, None))


class Pieces:
    """A tokenizer that is not of bytes: its tokens are words, and a space goes between two."""

    all_special_ids = (0,)
    backend_tokenizer = None

    def __init__(self, *pieces: str) -> None:
        self.pieces = ("", *pieces)

    def convert_tokens_to_ids(self, _mark: str) -> None:
        return None

    def convert_ids_to_tokens(self, token: int) -> str:
        return self.pieces[token]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(self.pieces[token] for token in ids)


def spoken(speech: Speech, tokens: Sequence[int]) -> list[str]:
    """What is told after each token, and at the end."""
    told: list[str] = []
    for token in tokens:
        speech.add(token)
        told.append(speech.fresh(ended=speech.stopped))
        if speech.stopped:
            return told
    speech.end()
    return [*told, speech.fresh(ended=True)]


def tokens(words: Vocabulary, text: str) -> list[int]:
    return words.tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_character_of_several_tokens_comes_whole(words: Vocabulary):
    told = spoken(Speech(words, ()), tokens(words, "a한b"))
    assert told == ["a", "", "", "한", "b", ""]


def test_half_a_character_at_the_end_is_shown_as_such(words: Vocabulary):
    told = spoken(Speech(words, ()), tokens(words, "a한")[:-1])
    assert told == ["a", "", "", "\ufffd"]


def test_a_stop_text_over_several_tokens_is_never_told(words: Vocabulary):
    speech = Speech(words, ("한!", "never"))
    told = spoken(speech, tokens(words, "ab한한!c"))
    assert "".join(told) == speech.text == "ab한"
    assert speech.stopped


def test_what_only_began_a_stop_text_is_told_at_the_end(words: Vocabulary):
    assert spoken(Speech(words, ("###",)), tokens(words, "a##")) == ["a", "", "", "##"]
    assert "".join(spoken(Speech(words, ("###",)), tokens(words, "a##b"))) == "a##b"


def test_control_tokens_say_nothing_and_marks_of_calls_do(words: Vocabulary):
    end = words.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert spoken(Speech(words, ()), [*tokens(words, "a"), end, *tokens(words, "b")]) == ["a", "", "b", ""]


def test_tokens_that_look_different_side_by_side_are_read_together():
    tokenizer: Any = Pieces("Hello", "wor", "ld", "\ufffd")
    told = spoken(Speech(Vocabulary(tokenizer), ()), [1, 2, 3, 4])
    assert "".join(told) == tokenizer.decode([1, 2, 3, 4])
    assert told == ["Hello", " wor", " ld", "", " \ufffd"]
