"""Datasets: the streaming check of training files, their tokens and price.

Imports nothing else of the house, so that the training server uses the same check.
"""

from __future__ import annotations

from tuning.datasets.checking import check_file, rows
from tuning.datasets.export import write_csv_report
from tuning.datasets.pricing import BaseInfo, auto_epochs, base_info, estimate
from tuning.datasets.report import Cost, Problem, Report, Tokens
from tuning.datasets.rules import RULES, Rule

__all__ = [
    "RULES",
    "BaseInfo",
    "Cost",
    "Problem",
    "Report",
    "Rule",
    "Tokens",
    "auto_epochs",
    "base_info",
    "check_file",
    "estimate",
    "rows",
    "write_csv_report",
]
