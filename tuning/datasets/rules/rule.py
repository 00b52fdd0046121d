"""What a rule is, and how the tables of this folder write one down."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuning.datasets.report import Severity

_EITHER = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")

GUIDE = "OpenAI supervised fine-tuning guide"
SCHEMA = "OpenAI API description, schemas of chat messages"
COOKBOOK = "openai-cookbook, Chat_finetuning_data_prep"
LLMCOMP = "llmcomp 1.6.0, finetuning/validation.py (rules learned from refused jobs)"
JSON_RFC = "RFC 8259"
VISION = "OpenAI vision fine-tuning guide"
DPO = "OpenAI direct preference optimization guide"
RFT = "OpenAI reinforcement fine-tuning guide"
SILENT = "not documented; providers differ"

ONE_A_LINE = f"{GUIDE}: JSON Lines, one object a line"
AS_CHAT = 'write each as {"messages": [{"role": "user", …}, {"role": "assistant", …}]}'


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing the check looks for. ``source`` names the document or the real error behind it."""

    code: str
    severity: Severity
    says: str
    fix: str
    source: str

    def message(self, count: int, detail: str = "", line: int | None = None) -> str:
        """The message for ``count`` rows, naming the first place when there is more to say of it."""
        text = _EITHER.sub(lambda m: m[1] if count == 1 else m[2], self.says).replace("{n}", f"{count:,}")
        where = f"line {line:,}, " if line is not None else ""
        return f"{text} ({where}{detail})" if detail else text


def error(code: str, says: str, fix: str, source: str) -> Rule:
    """A rule whose breach blocks training."""
    return Rule(code, "error", says, fix, source)


def warning(code: str, says: str, fix: str, source: str) -> Rule:
    """A rule whose breach is worth a look and blocks nothing."""
    return Rule(code, "warning", says, fix, source)
