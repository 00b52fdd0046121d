"""Datasets: the streaming check of training files, their tokens and price.

Imports nothing else of the house, so that the training server uses the same check.
"""

from __future__ import annotations

from tuning.datasets.allowing import OVERLAPS, allow_overlap
from tuning.datasets.chart import TokenChart, token_chart
from tuning.datasets.checking import check_file
from tuning.datasets.difference import Difference, difference
from tuning.datasets.examination import examine
from tuning.datasets.export import write_csv_report
from tuning.datasets.limits import Limits
from tuning.datasets.linemap import LineMap
from tuning.datasets.picking import Omission, leave_out, pick
from tuning.datasets.pricing import BaseInfo, auto_epochs, base_info, estimate
from tuning.datasets.reading import rows
from tuning.datasets.redaction import Redaction, redact
from tuning.datasets.repairing import (
    FORMATS,
    RECOGNISED,
    Change,
    Format,
    Repair,
    can_repair,
    likely,
    repair,
    repairable,
)
from tuning.datasets.report import HOLD, Cost, Finding, Problem, PromptShare, Report, Tokens
from tuning.datasets.rules import RULES, Rule
from tuning.datasets.splitting import Split, split

__all__ = [
    "FORMATS",
    "HOLD",
    "OVERLAPS",
    "RECOGNISED",
    "RULES",
    "BaseInfo",
    "Change",
    "Cost",
    "Difference",
    "Finding",
    "Format",
    "Limits",
    "LineMap",
    "Omission",
    "Problem",
    "PromptShare",
    "Redaction",
    "Repair",
    "Report",
    "Rule",
    "Split",
    "TokenChart",
    "Tokens",
    "allow_overlap",
    "auto_epochs",
    "base_info",
    "can_repair",
    "check_file",
    "difference",
    "estimate",
    "examine",
    "leave_out",
    "likely",
    "pick",
    "redact",
    "repair",
    "repairable",
    "rows",
    "split",
    "token_chart",
    "write_csv_report",
]
