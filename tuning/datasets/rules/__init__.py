"""Every rule of the check as a record: code, severity, what it says, the fix and its source.

The reference page of the documentation is made from these tables.
"""

from __future__ import annotations

from tuning.datasets.rules import beyond, files, formats, lines, messages, tools
from tuning.datasets.rules.rule import Rule

RULES: dict[str, Rule] = {
    rule.code: rule
    for table in (files.RULES, lines.RULES, formats.RULES, messages.RULES, tools.RULES, beyond.RULES)
    for rule in table
}

__all__ = ["RULES", "Rule"]
