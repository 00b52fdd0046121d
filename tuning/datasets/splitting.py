"""Holds out a part of a file for validation."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuning.datasets.derived import Derived
from tuning.datasets.linemap import LineMap
from tuning.datasets.lines import line_text, physical_lines
from tuning.datasets.quality.nearness import near_pairs, roots, sample
from tuning.datasets.quality.traces import Trace, TraceFile, Traces, pack, trace_of
from tuning.datasets.reading import parsed_rows

SHARE = 0.1
SEED = 7
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of the two files, and where each line of them stood in the file as dropped."""

    train_rows: int
    valid_rows: int
    train_lines: LineMap
    valid_lines: LineMap


def split(path: Path, train_out: Path, valid_out: Path, *, share: float = SHARE, seed: int = SEED) -> Split:
    """Write the rows of ``path`` to two files, ``share`` of them held out, the same ones for the same seed.

    Each system prompt keeps its share in both; rows that repeat or nearly repeat each other stay together.
    Rows are copied byte for byte in their order; lines that hold no object are left out. Raises
    ``OSError``, and ``ValueError`` for a share that is not between 0 and 1 or an ``out`` that is ``path``.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share of {share} cannot be held out; use one between 0 and 1")
    with TraceFile() as traces:
        collect(path, traces)
        records = traces.all()
        held_out = _held_out(records, share, seed)
        lines = np.array(records["line"])
    with path.open("rb") as stream, Derived(train_out, path) as train, Derived(valid_out, path) as valid:
        place = 0
        for line in physical_lines(stream):
            if place < len(lines) and lines[place] == line.number:
                (valid if held_out[place] else train).write(line_text(line), line.number)
                place += 1
    return Split(train.rows, valid.rows, train.lines, valid.lines)


def collect(path: Path, traces: TraceFile) -> None:
    """The traces of every row of ``path`` that holds an object."""
    waiting: list[Trace] = []
    size = 0
    for line, row, canonical in parsed_rows(path):
        waiting.append(trace_of(line, row, canonical))
        size += len(waiting[-1].text)
        if len(waiting) >= _BATCH or size > 4 << 20:
            traces.add(pack(waiting))
            waiting, size = [], 0
    traces.add(pack(waiting))


def _held_out(traces: Traces, share: float, seed: int) -> list[bool]:
    """For each row whether it is held out: groups of like rows are drawn prompt by prompt, as one."""
    chosen = [False] * len(traces)
    strata = _strata(traces)
    draw = random.Random(seed)  # noqa: S311  (a draw to be repeated, no secret)
    owed = 0.0
    for groups in strata:
        draw.shuffle(groups)
        owed += share * sum(map(len, groups))
        left = len(groups) - 1  # something of each prompt stays to train on
        for group in groups:
            if left > 0 and len(group) / 2 < owed and len(group) <= max(1.0, 2 * owed):
                for place in group:
                    chosen[place] = True
                owed -= len(group)
                left -= 1
    return chosen


def _strata(traces: Traces) -> list[list[list[int]]]:
    """Groups of rows that must stay together, gathered by the system prompt of their first row."""
    size = len(traces)
    if not size:
        return []
    _, first, same = np.unique(traces["row"], return_index=True, return_inverse=True)
    equal = np.stack((first[same], np.arange(size)), axis=1).astype(np.int64)
    tied = roots(size, np.concatenate((equal, near_pairs(traces, sample(size)))))
    systems = traces["system"]
    groups: dict[int, list[int]] = defaultdict(list)
    for place, root in enumerate(tied.tolist()):
        groups[int(root)].append(place)
    strata: dict[int, list[list[int]]] = defaultdict(list)
    for root, places in groups.items():
        strata[int(systems[root])].append(places)
    return sorted(strata.values(), key=len, reverse=True)
