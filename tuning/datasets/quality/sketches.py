"""MinHash sketches of texts: two texts share about as many of their 60 numbers as of their word triples.

The triples are hashed by whole batches with numpy, the sketch is rensa's. Letters count without case,
punctuation and space only part words; each Chinese or Japanese character is a word of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

SIZE = 60
_SEED = 7
_ODD = np.uint64(0x9E3779B97F4A7C15)
_STEP = 0x100000001B3
_BACK = pow(_STEP, -1, 1 << 64)
BATCH = 1 << 17
"""Bytes of text that are sketched at once; a caller gives no more (one longer text is cut)."""
_LONGEST = 1 << 16
"""Bytes of a text that count; what comes after tells two texts apart no better."""

_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
_IS_WORD = np.array([chr(b).isalnum() if b < 128 else True for b in range(256)], dtype=bool)
_IS_IDEOGRAPH = np.array([0xE3 <= b <= 0xE9 for b in range(256)], dtype=bool)

U8 = NDArray[np.uint64]


@lru_cache(maxsize=2)
def _powers(base: int) -> U8:
    """1, base, base squared … modulo 2 to the 64th, one for each byte of a batch."""
    powers = np.full(BATCH + _LONGEST + 1, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def sketches(texts: Sequence[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """A sketch of :data:`SIZE` numbers for each text, and of how many triples it was made (0: no words)."""
    if not texts:
        return np.empty((0, SIZE), np.uint32), np.empty(0, np.uint32)
    data = b"\n".join(text[:_LONGEST] for text in texts).translate(_LOWER)
    lengths = np.array([min(len(text), _LONGEST) + 1 for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths)
    words, starts = _words(np.frombuffer(data, dtype=np.uint8))
    # words before the end of each text, so that no triple runs from one text into the next
    upto = np.searchsorted(starts, ends)
    counts = np.diff(upto, prepend=0)
    hashes, offsets, triples = _triples(words, counts)
    made = cast("Any", RMinHash)
    digests: Any = made.digest_matrix_from_flat_token_hashes(hashes, offsets, num_perm=SIZE, seed=_SEED)
    return np.array(digests.to_rows(), dtype=np.uint32).reshape(-1, SIZE), triples.astype(np.uint32)


def _words(data: NDArray[np.uint8]) -> tuple[U8, NDArray[np.int64]]:
    """A hash of each word and where it starts: a polynomial over its bytes, the same at any place."""
    inside, ideograph = _IS_WORD[data], _IS_IDEOGRAPH[data]
    previous = np.concatenate(([False], inside[:-1]))
    starts = np.flatnonzero(inside & (~previous | ideograph))
    if not len(starts):
        return np.empty(0, np.uint64), starts
    with np.errstate(over="ignore"):
        summed = np.add.reduceat(_powers(_STEP)[: len(data)] * (data * inside), starts)
        return _mix(summed * _powers(_BACK)[starts]), starts


def _mix(value: U8) -> U8:
    """The finaliser of splitmix64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _triples(words: U8, counts: NDArray[np.int64]) -> tuple[U8, U8, NDArray[np.int64]]:
    """Hashes of three words in a row within each text (fewer in shorter texts), their offsets and counts."""
    triples = np.where(counts > 2, counts - 2, np.minimum(counts, 1))
    offsets = np.concatenate(([0], np.cumsum(triples))).astype(np.uint64)
    if not len(words):
        return np.empty(0, np.uint64), offsets, triples
    first = np.repeat(np.cumsum(counts) - counts, triples)
    within = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1].astype(np.int64), triples)
    at = first + within
    size = np.repeat(counts, triples)
    last = len(words) - 1
    with np.errstate(over="ignore"):
        hashed = words[at]
        second = np.where(size > 1, words[np.minimum(at + 1, last)], np.uint64(0))
        third = np.where(size > 2, words[np.minimum(at + 2, last)], np.uint64(0))
        hashed = _mix(hashed * _ODD + _mix(second + _ODD) * np.uint64(3) + _mix(third * np.uint64(5)))
    return hashed, offsets, triples
