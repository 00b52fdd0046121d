"""From traces to findings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tuning.datasets.quality.nearness import Indices, near_pairs, roots, sample
from tuning.datasets.quality.traces import Traces

_SHORT, _MANY, _LONG = 10, 20, 100
"""An answer is short at a tenth of the median, in files of 20 answers whose median has 100 characters."""

Remark = tuple[int, str, str]
"""Line, code and detail."""


def remarks(traces: Traces) -> Iterator[Remark]:
    """What the rows of one file have wrong in view of each other."""
    yield from near_duplicates(traces)
    yield from conflicting_answers(traces)
    yield from short_answers(traces)
    yield from rows_without_system(traces)


def near_duplicates(traces: Traces) -> Iterator[Remark]:
    """Rows that nearly repeat an earlier one; exact repeats are another rule's."""
    rows = _first_of_each(traces, sample(len(traces)))
    tied = roots(len(traces), near_pairs(traces, rows))
    for place in np.flatnonzero(tied != np.arange(len(tied))):
        yield int(traces["line"][place]), "near_duplicates", f"like line {traces['line'][tied[place]]:,}"


def near_overlap(training: Traces, held_out: Traces) -> Iterator[Remark]:
    """Rows held out that nearly repeat a row of the training file; the lines are those held out."""
    both = np.concatenate((training[sample(len(training))], held_out))
    border = len(both) - len(held_out)
    fresh = np.ones(len(both), bool)
    fresh[border:] = ~np.isin(held_out["row"], training["row"])
    pairs = near_pairs(both, np.flatnonzero(fresh))
    pairs = pairs[(pairs[:, 0] < border) & (pairs[:, 1] >= border)]
    _, first = np.unique(pairs[:, 1], return_index=True)
    for left, right in pairs[first]:
        yield int(both["line"][right]), "validation_near_overlap", f"like line {both['line'][left]:,} there"


def conflicting_answers(traces: Traces) -> Iterator[Remark]:
    """Rows that ask the very same and are answered differently."""
    asked = np.array(traces["prompt"])
    order = np.argsort(asked, kind="stable")
    order = order[asked[order] != 0]
    for group in _groups(asked[order], order):
        answers = traces["answer"][group]
        if len(np.unique(answers)) > 1:
            first = traces["line"][group[0]]
            for place, answer in zip(group[1:], answers[1:], strict=True):
                if answer != answers[0]:
                    yield int(traces["line"][place]), "conflicting_answers", f"line {first:,} asks the same"


def short_answers(traces: Traces) -> Iterator[Remark]:
    """Answers far shorter than the rest of the file's."""
    lengths = np.array(traces["length"])
    given = lengths[lengths > 0]
    if len(given) < _MANY or (median := float(np.median(given))) < _LONG:
        return
    for place in np.flatnonzero((lengths > 0) & (lengths * _SHORT < median)):
        yield (
            int(traces["line"][place]),
            "short_answer",
            f"{lengths[place]:,} characters, most have {median:,.0f}",
        )


def rows_without_system(traces: Traces) -> Iterator[Remark]:
    """Rows without a system prompt where nearly all others have one."""
    without = (np.array(traces["system"]) == 0) & (np.array(traces["triples"]) > 0)
    if without.any() and without.sum() * 10 <= len(without):
        for place in np.flatnonzero(without):
            yield int(traces["line"][place]), "missing_system_prompt", ""


def _first_of_each(traces: Traces, rows: Indices) -> Indices:
    _, first = np.unique(traces["row"][rows], return_index=True)
    return rows[np.sort(first)]


def _groups(keys: NDArray[np.uint64], places: Indices) -> Iterator[Indices]:
    """Places with equal neighbours in sorted ``keys``, group by group."""
    if not len(keys):
        return
    edges = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1], [True])))
    for start, end in pairwise(edges.tolist()):
        if end - start > 1:
            yield places[start:end]
