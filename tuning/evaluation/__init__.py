"""Scores of models on validation rows."""

from __future__ import annotations

from tuning.evaluation.score import Scored, score

__all__ = ["Scored", "score"]
