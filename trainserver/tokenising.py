# pyright: basic
# transformers is only partly typed, and this module hands everything to its tokenizer.
"""From rows to tokens, with a mark on each token that carries loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainserver.errors import JobFailed
from trainserver.messages import Message, in_call_order
from trainserver.rows import Row
from trainserver.template import TemplateLoses, check, render, texts


@dataclass(frozen=True, slots=True)
class Example:
    """A tokenised conversation: `targets[i]` tells whether token `ids[i]` is to be learnt."""

    line: int
    ids: tuple[int, ...]
    targets: tuple[bool, ...]
    truncated: bool


def encode_rows(
    tokenizer: Any, rows: Sequence[Row], max_tokens: int, param: str
) -> list[tuple[Example, ...]]:
    """Tokenise every row, cut at `max_tokens` from the end; one example a row, two for a preference.

    Raises `JobFailed` with the line when a row holds the tokenizer's own control tokens, the template would
    lose a part of it, or nothing to learn is left of it.
    """
    control = [token for token in tokenizer.all_special_tokens if token]
    return [
        tuple(_encode(tokenizer, row, said, max_tokens, control, param) for said in row.conversations)
        for row in rows
    ]


def _encode(
    tokenizer: Any, row: Row, messages: Sequence[Message], max_tokens: int, control: list[str], param: str
) -> Example:
    def failed(text: str) -> JobFailed:
        return JobFailed(f"invalid_{param}", text, param)

    for text in texts(messages, row.tools):
        for token in control:
            if token in text:
                raise failed(f"Example on line {row.line} contains an invalid token: {token}")
    try:
        check(tokenizer, messages, row.tools)
        encoded = render(tokenizer, messages, row.tools, return_assistant_tokens_mask=True)
        targets = _learnt(encoded["assistant_masks"], in_call_order(messages))
    except TemplateLoses as error:
        raise failed(f"Line {row.line} cannot be trained: {error}") from error
    ids = encoded["input_ids"]
    if not any(targets[1:max_tokens]):
        raise failed(f"Nothing to learn is left of line {row.line} within the limit of {max_tokens} tokens")
    return Example(row.line, tuple(ids[:max_tokens]), tuple(targets[:max_tokens]), len(ids) > max_tokens)


def _learnt(mask: Sequence[int], messages: Sequence[Message]) -> list[bool]:
    """The template marks all that assistants say; take the turns out that carry no loss."""
    turns = [message.trained for message in messages if message.role == "assistant"]
    learnt: list[bool] = []
    turn, inside = -1, False
    for marked in mask:
        turn += bool(marked) and not inside
        inside = bool(marked)
        learnt.append(inside and turn < len(turns) and turns[turn])
    if turn + 1 != len(turns):
        raise TemplateLoses(
            f"the template of the base marks {turn + 1} of {len(turns)} assistant messages as generated"
        )
    return learnt
