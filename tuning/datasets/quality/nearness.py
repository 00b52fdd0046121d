"""Pairs of rows that say nearly the same, and the groups they make.

Locality-sensitive hashing: rows whose sketches agree in one of ten bands of six numbers are compared, and
count as near when at least 53 of the 60 numbers agree (about 88 % of their word triples). Two rows that
share 88 % meet in a band with a chance of 99.8 %, two that share half with 15 %, and are then told apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.datasets.quality.sketches import SIZE
from tuning.datasets.quality.traces import Traces

NEAR = 53
"""Numbers of a sketch of :data:`SIZE` that must agree."""
MAX_ROWS = 2_000_000
"""Rows compared in memory (some 60 bytes each); of a larger file a seeded sample is."""
_WIDTH = 6
_BANDS = SIZE // _WIDTH
_LAGS = 3
_SLICE = 1 << 16

Indices = NDArray[np.int64]


def sample(rows: int, seed: int = 7) -> Indices:
    """All rows, or :data:`MAX_ROWS` of them drawn with ``seed``, in order."""
    if rows <= MAX_ROWS:
        return np.arange(rows, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False)
    return np.sort(drawn)


def near_pairs(traces: Traces, rows: Indices) -> NDArray[np.int64]:
    """Pairs of places in ``traces`` (shape n×2, smaller first) that are near; not every pair of a group."""
    rows = rows[traces["triples"][rows] > 0]
    found: list[Any] = [np.empty((0, 2), np.int64)]
    for band in range(_BANDS):
        keys = _band(traces, rows, band)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        fresh = np.concatenate(([True], keys[1:] != keys[:-1])) if len(keys) else np.empty(0, bool)
        heads = np.maximum.accumulate(np.where(fresh, np.arange(len(keys)), 0)) if len(keys) else fresh
        for left, right in _candidates(keys, heads):
            found.append(_near(traces, rows[order[left]], rows[order[right]]))
    return np.unique(np.concatenate(found), axis=0)


def _candidates(keys: NDArray[np.uint64], heads: Any) -> list[tuple[Indices, Indices]]:
    """Places in sorted ``keys`` to compare: each with the first of its group and the three before it."""
    places = np.arange(len(keys), dtype=np.int64)
    with_head = places[heads < places] if len(keys) else places
    pairs = [(heads[with_head].astype(np.int64), with_head)] if len(keys) else []
    for lag in range(1, _LAGS + 1):
        right = places[lag:][keys[lag:] == keys[:-lag]] if len(keys) > lag else places[:0]
        pairs.append((right - lag, right))
    return pairs


def _band(traces: Traces, rows: Indices, band: int) -> NDArray[np.uint64]:
    keys = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _SLICE):
        part = rows[start : start + _SLICE]
        sketch = traces["sketch"][part][:, band * _WIDTH : (band + 1) * _WIDTH].astype(np.uint64)
        key = np.zeros(len(part), np.uint64)
        for column in range(_WIDTH):
            key = (key ^ sketch[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        keys[start : start + _SLICE] = key
    return keys


def _near(traces: Traces, left: Indices, right: Indices) -> NDArray[np.int64]:
    kept: list[Any] = [np.empty((0, 2), np.int64)]
    for start in range(0, len(left), _SLICE):
        a, b = left[start : start + _SLICE], right[start : start + _SLICE]
        agree = (traces["sketch"][a] == traces["sketch"][b]).sum(axis=1) >= NEAR
        kept.append(np.sort(np.stack((a[agree], b[agree]), axis=1), axis=1))
    return np.concatenate(kept)


def roots(size: int, pairs: NDArray[np.int64]) -> Indices:
    """For each of ``size`` places the smallest place it is tied to through ``pairs``, itself if to none."""
    root = np.arange(size, dtype=np.int64)
    left, right = pairs[:, 0], pairs[:, 1]
    while len(left):
        low, high = np.minimum(root[left], root[right]), np.maximum(root[left], root[right])
        open_ = low != high
        if not open_.any():
            break
        np.minimum.at(root, high[open_], low[open_])
        while not np.array_equal(root, deeper := root[root]):
            root = deeper
    return root
