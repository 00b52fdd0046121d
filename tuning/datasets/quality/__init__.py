"""Quality across rows: what nearly repeats, answers that contradict each other, prompts, short answers.

Each row leaves a trace of fixed size (:mod:`traces`); the traces lie in a temporary file, and memory holds
some 24 bytes a row while they are compared (:mod:`nearness`).
"""

from __future__ import annotations

from tuning.datasets.quality.traces import TRACE, TraceFile, trace_of

__all__ = ["TRACE", "TraceFile", "trace_of"]
