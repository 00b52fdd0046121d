"""Two tokenizers with the same counts: one at hand at once, one several times as fast but slow to load.

Both take many texts in one piece, with a NUL between any two, and tell how many tokens there are up to
the end of each text. splintr has the vocabularies of the public encodings compiled in; gigatoken is handed
that same vocabulary, and no control tokens, so that these count as the plain text they are.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import splintr

_PATTERN = {"o200k_base": "o200k", "cl100k_base": "cl100k"}
_RANKS = {"o200k_base": 199_998, "cl100k_base": 100_256}
"""Tokens of the encoding that are text; the numbers after them are control tokens."""
_BETWEEN = 1 << 20
"""The token number that stands for the NUL between two texts."""


@lru_cache(maxsize=2)
def _splintr(encoding: str) -> splintr.AnyTokenizer:
    return splintr.Tokenizer.from_pretrained(encoding)


class SteadyTokenizer:
    """splintr."""

    def __init__(self, encoding: str) -> None:
        self._tokenizer = _splintr(encoding)

    def count(self, text: str) -> int:
        """Tokens of one text of any kind."""
        return len(self._tokenizer.encode_ordinary(text))

    def upto(self, blob: bytes, texts: int) -> Sequence[int]:
        """Tokens in the first 0, 1, … ``texts`` texts of ``blob``, none of which holds ``<|`` or a NUL."""
        if not texts:
            return [0]
        _, offsets = self._tokenizer.encode_batch_flat(blob.decode().split("\0"))
        return memoryview(offsets).cast("Q")

    def vocabulary(self, size: int) -> bytes:
        """The first ``size`` tokens as a ``.tiktoken`` file has them."""
        token = self._tokenizer.decode_token_bytes
        lines = (base64.b64encode(token(rank)) + b" %d\n" % rank for rank in range(size))
        return b"".join(lines)


class QuickTokenizer:
    """gigatoken; loading takes about half a second."""

    def __init__(self, encoding: str, steady: SteadyTokenizer) -> None:
        from gigatoken import Tokenizer  # only for large files: it brings numpy into memory

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocabulary.tiktoken"
            path.write_bytes(steady.vocabulary(_RANKS[encoding]))
            self._tokenizer = Tokenizer.from_tiktoken(
                path, pretokenizer=_PATTERN[encoding], special_tokens={"\0": _BETWEEN}
            )

    def upto(self, blob: bytes, texts: int) -> Sequence[int]:
        """As :meth:`SteadyTokenizer.upto`."""
        if not texts:
            return [0]
        ids = self._tokenizer.encode(blob)
        ends: list[int] = (ids == _BETWEEN).nonzero()[0].tolist()
        ends.append(len(ids))
        return [0, *(end - between for between, end in enumerate(ends))]
