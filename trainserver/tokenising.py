# pyright: basic
# transformers is only partly typed, and this module hands everything to its tokenizer.
"""From rows to tokens, with a mark on each token that carries loss.

One template serves training and answering. The one that comes with ftbot is ChatML; it adds nothing
that the messages do not hold, so a model is asked exactly as it was trained (SmolLM2's own template
puts a system prompt of its own in front of every conversation that has none; ours does not).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from trainserver.errors import BaseUnavailable, JobFailed
from trainserver.rows import Message, Row


@dataclass(frozen=True, slots=True)
class Example:
    """A tokenised row: `targets[i]` tells whether token `ids[i]` is to be learnt."""

    line: int
    ids: tuple[int, ...]
    targets: tuple[bool, ...]
    truncated: bool


def load_tokenizer(folder: Path, template: Path | None) -> Any:
    """The tokenizer of a base, with our template in place of its own. Raises `BaseUnavailable`."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise BaseUnavailable(f"The tokenizer in {folder} does not load: {error}") from error
    if template is None:
        text = resources.files("trainserver").joinpath("data/chatml.jinja").read_text()
    else:
        text = template.read_text()
    if "generation" not in text:
        raise BaseUnavailable(
            f"{template} has no {{% generation %}} marks, so nothing could be learnt with it."
        )
    tokenizer.chat_template = text.removesuffix("\n")
    return tokenizer


def encode_prompt(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation, ready for the assistant to speak."""
    return tokenizer.apply_chat_template(
        [message.plain() for message in messages], add_generation_prompt=True, return_dict=True
    )["input_ids"]


def encode_rows(tokenizer: Any, rows: Sequence[Row], max_tokens: int, param: str) -> list[Example]:
    """Tokenise every row, cut at `max_tokens` from the end.

    Raises `JobFailed` when a row holds the tokenizer's own control tokens, or nothing to learn is left of it.
    """
    control = [token for token in tokenizer.all_special_tokens if token]
    return [_encode(tokenizer, row, max_tokens, control, param) for row in rows]


def _encode(tokenizer: Any, row: Row, max_tokens: int, control: list[str], param: str) -> Example:
    for message in row.messages:
        for token in control:
            if token in message.content:
                raise JobFailed(
                    f"invalid_{param}",
                    f"Example on line {row.line} contains an invalid token: {token}",
                    param,
                )
    encoded = tokenizer.apply_chat_template(
        [{**message.plain(), "trained": message.trained} for message in row.messages],
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids, mask = encoded["input_ids"][:max_tokens], encoded["assistant_masks"][:max_tokens]
    if not any(mask):
        raise JobFailed(
            f"invalid_{param}",
            f"Nothing to learn is left of line {row.line} within the limit of {max_tokens} tokens",
            param,
        )
    return Example(
        row.line, tuple(ids), tuple(bool(one) for one in mask), len(encoded["input_ids"]) > max_tokens
    )
