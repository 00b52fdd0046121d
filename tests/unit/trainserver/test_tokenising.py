# pyright: basic
"""Which tokens carry loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainserver.errors import BaseUnavailable, JobFailed
from trainserver.rows import Message, Row
from trainserver.template import encode_prompt, load_tokenizer
from trainserver.tokenising import encode_rows

TURNS = (
    Message("system", "Be brief."),
    Message("user", "Hi"),
    Message("assistant", "Not this.", trained=False),
    Message("user", "Again"),
    Message("assistant", "First.", trained=True),
    Message("user", "More"),
    Message("assistant", "안녕 🙂", trained=True),
)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path):
    return load_tokenizer(tiny, None)


def test_only_the_assistants_trained_turns_carry_loss(tokenizer):
    ((example,),) = encode_rows(tokenizer, [Row(1, TURNS)], 1000, "training_file")
    learnt = [token for token, target in zip(example.ids, example.targets, strict=True) if target]
    assert tokenizer.decode(learnt) == "First.<|im_end|>안녕 🙂<|im_end|>"
    assert not example.truncated


def test_what_is_asked_later_is_how_the_training_row_begins(tokenizer):
    ((example,),) = encode_rows(tokenizer, [Row(1, TURNS)], 1000, "training_file")
    prompt = encode_prompt(tokenizer, TURNS[:-1])
    assert list(example.ids[: len(prompt)]) == prompt
    assert example.targets[len(prompt)]
    assert not example.targets[len(prompt) - 1]


def test_a_long_row_is_cut_at_its_end(tokenizer):
    row = Row(1, (Message("user", "Hi"), Message("assistant", "y" * 100, trained=True)))
    ((example,),) = encode_rows(tokenizer, [row], 50, "training_file")
    assert len(example.ids) == 50
    assert example.truncated


def test_a_row_with_nothing_left_to_learn_fails_the_job(tokenizer):
    row = Row(7, (Message("user", "x" * 100), Message("assistant", "y", trained=True)))
    with pytest.raises(JobFailed, match="line 7"):
        encode_rows(tokenizer, [row], 50, "training_file")


def test_control_tokens_in_a_text_fail_the_job(tokenizer):
    row = Row(3, (Message("user", "a<|im_start|>b"), Message("assistant", "y", trained=True)))
    with pytest.raises(JobFailed, match="line 3 contains an invalid token"):
        encode_rows(tokenizer, [row], 1000, "training_file")


def test_a_template_without_marks_is_refused(tiny: Path, tmp_path: Path):
    template = tmp_path / "plain.jinja"
    template.write_text("{{ messages }}")
    with pytest.raises(BaseUnavailable, match="nothing could be learnt"):
        load_tokenizer(tiny, template)
