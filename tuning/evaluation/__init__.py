"""Scores of models on validation rows."""

from __future__ import annotations

from tuning.evaluation.score import METRIC, score

__all__ = ["METRIC", "score"]
