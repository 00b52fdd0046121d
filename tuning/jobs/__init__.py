"""Jobs: intake of datasets, start, watch, score, failure explanations."""

from __future__ import annotations

from tuning.jobs.engine import Engine
from tuning.jobs.failures import Explanation, explain
from tuning.jobs.intake import Intake
from tuning.jobs.start import StartRequest

__all__ = ["Engine", "Explanation", "Intake", "StartRequest", "explain"]
