"""Scores of models on validation rows."""

from __future__ import annotations

from tuning.evaluation.score import ROWS, Candidate, Scored, score

__all__ = ["ROWS", "Candidate", "Scored", "score"]
