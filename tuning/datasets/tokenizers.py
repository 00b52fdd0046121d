"""Two tokenizers with the same counts: one at hand at once, one several times as fast but slow to load.

Both take many texts in one piece, with a NUL between any two, and tell how many tokens there are up to
the end of each text. splintr has the vocabularies of the public encodings compiled in; gigatoken is handed
that same vocabulary, and no control tokens, so that these count as the plain text they are.
"""

from __future__ import annotations

import tempfile
from binascii import b2a_base64
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
import splintr
from numpy.typing import NDArray

Counts = NDArray[np.int64]

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

    def upto(self, blob: bytes, texts: int) -> Counts:
        """Tokens in the first 0, 1, … ``texts`` texts of ``blob``, none of which holds ``<|`` or a NUL."""
        if not texts:
            return np.zeros(1, np.int64)
        _, offsets = self._tokenizer.encode_batch_flat(blob.decode().split("\0"))
        return np.frombuffer(offsets, np.int64)

    def vocabulary(self, size: int) -> bytes:
        """The first ``size`` tokens as a ``.tiktoken`` file has them."""
        token = self._tokenizer.decode_token_bytes
        pairs = [(b2a_base64(token(rank), newline=False), rank) for rank in range(size)]
        return b"%b %d\n" * size % tuple(chain.from_iterable(pairs))


class QuickTokenizer:
    """gigatoken; loading takes about half a second."""

    def __init__(self, encoding: str, steady: SteadyTokenizer) -> None:
        from gigatoken.gigatoken_rs import BPETokenizer  # only for large files

        self._steady = steady
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocabulary.tiktoken"
            path.write_bytes(steady.vocabulary(_RANKS[encoding]))
            self._tokenizer = BPETokenizer.from_tiktoken(path, _PATTERN[encoding], {"\0": _BETWEEN})

    def count(self, text: str) -> int:
        """As :meth:`SteadyTokenizer.count`."""
        return self._steady.count(text) if "\0" in text else len(self._tokenizer.encode(text))

    def upto(self, blob: bytes, texts: int) -> Counts:
        """As :meth:`SteadyTokenizer.upto`."""
        upto = np.zeros(texts + 1, np.int64)
        if texts:
            ids = self._tokenizer.encode(blob)
            upto[1:-1] = (ids == _BETWEEN).nonzero()[0]
            upto[-1] = len(ids)
            upto[1:] -= np.arange(texts)
        return upto
