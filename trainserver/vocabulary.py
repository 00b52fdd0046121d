# pyright: basic
# transformers and torch are only partly typed.
"""From tokens back to text, and what is told of a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

# Marks that say something to whoever reads an answer, also where a tokenizer counts them as control tokens.
SPOKEN = ("<tool_call>", "</tool_call>")


def _byte_of_letter() -> dict[str, int]:
    """The letters by which byte-level tokenizers write bytes (GPT-2's table)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {chr(byte): byte for byte in plain}
    return letters | {chr(256 + i): byte for i, byte in enumerate(others)}


BYTES = _byte_of_letter()


class Vocabulary:
    """A tokenizer, seen from its tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        spoken = {tokenizer.convert_tokens_to_ids(mark) for mark in SPOKEN}
        self.silent = set(tokenizer.all_special_ids) - spoken
        backend = getattr(tokenizer, "backend_tokenizer", None)
        self.of_bytes = type(getattr(backend, "decoder", None)).__name__ == "ByteLevel"
        self._bytes: dict[int, bytes] = {}

    def decode(self, ids: Sequence[int]) -> str:
        """What the tokens say together."""
        return self.tokenizer.decode(list(ids))

    def bytes(self, token: int) -> bytes:
        """What a token says alone."""
        if token not in self._bytes:
            written = self.tokenizer.convert_ids_to_tokens(token)
            if written is not None and all(letter in BYTES for letter in written):
                self._bytes[token] = bytes(BYTES[letter] for letter in written)
            else:
                self._bytes[token] = self.tokenizer.decode([token]).encode()
        return self._bytes[token]

    def logprobs(self, logits: torch.Tensor, token: int, alternatives: int) -> dict[str, Any]:
        """A token as OpenAI tells it, with its likeliest `alternatives`. `logits` is (vocabulary,)."""
        chances = torch.log_softmax(logits.float(), -1)
        best = chances.topk(min(alternatives, len(chances)))
        others = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return {
            **self._told(token, float(chances[token])),
            "top_logprobs": [self._told(other, chance) for other, chance in others],
        }

    def _told(self, token: int, chance: float) -> dict[str, Any]:
        content = self.bytes(token)
        text = content.decode("utf-8", errors="replace")
        return {"token": text, "logprob": chance, "bytes": list(content)}
