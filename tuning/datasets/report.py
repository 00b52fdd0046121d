"""What a check says: problems, tokens, cost and the verdict, as plain records.

The shape of :meth:`Report.to_json` is a promise of the command line (``ftbot check --json``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]
Verdict = Literal["accept", "reject"]

LINES_KEPT = 1_000
"""How many line numbers a :class:`Problem` carries; the CSV report names every line."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem, with every place it was found at.

    ``lines`` are 1-based physical lines of the file as it was dropped (the first 1,000); an empty
    tuple means the whole file. ``count`` is the number of rows (or 1 for the whole file).
    """

    severity: Severity
    code: str
    count: int
    lines: tuple[int, ...]
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens per example. ``exact`` is false when another encoding stands in for the base's own."""

    total: int
    median: int
    p95: int
    max: int
    over_limit: int
    limit: int | None
    encoding: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """What training would be billed, and serving: ``usd`` and ``serving_usd_per_1k`` (for 1,000 answers at
    the data's own lengths) are None when the price is unknown."""

    epochs: int
    epochs_auto: bool
    billed_tokens: int
    usd: float | None
    price_per_1m: float | None
    priced_on: str | None
    note: str
    serving_usd_per_1k: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What of one class of private values was found: how many values, and the first 1,000 lines."""

    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PromptShare:
    """How many rows have one system prompt; ``text`` is a short inert piece of it, "" for none."""

    text: str
    rows: int
    share: float


HOLD = frozenset({"secret", "payment_card", "national_id"})
"""Classes of private values for which a person decides before the file leaves."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one check.

    ``rows`` counts the lines that are not blank, ``examples`` those that hold a JSON object,
    ``bad_rows`` those with at least one error. ``system_prompt`` is the most common one of the file,
    ``multi_system`` the number of different ones, ``tools`` the tool list if all rows share it.

    ``examined`` is true once quality and privacy were looked at too; ``privacy`` then counts the private
    values by the code of their problem, and ``prompts`` are the five most common system prompts.
    ``notes`` say what was not looked at in full, and why;
    ``fixable`` counts the rows with errors that a repair puts right (once examined), ``answer_tokens`` is
    the mean length of the last answers, from up to 1,000 of them. ``pictured`` counts the rows with pictures,
    ``columns`` how many reinforcement rows have each of their columns.
    """

    file: str
    sha256: str
    bytes: int
    method: str | None
    examples: int
    rows: int
    verdict: Verdict
    problems: tuple[Problem, ...]
    tokens: Tokens | None
    cost: Cost | None
    bad_rows: int
    system_prompt: str | None = None
    tools: list[Any] | None = None
    multi_system: int = 0
    examined: bool = False
    privacy: Mapping[str, Finding] = field(default_factory=dict[str, Finding])
    prompts: tuple[PromptShare, ...] = ()
    notes: tuple[str, ...] = ()
    fixable: int = 0
    answer_tokens: float | None = None
    pictured: int = 0
    columns: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def needs_decision(self) -> bool:
        """True when the file holds what a person must decide on before it leaves (:data:`HOLD`)."""
        return any(code in HOLD for code in self.privacy)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that block training."""
        return tuple(p for p in self.problems if p.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not block."""
        return tuple(p for p in self.problems if p.severity == "warning")

    def to_json(self) -> dict[str, Any]:
        """The promised object of ``ftbot check --json``; plain dicts, lists, numbers and strings."""
        promised = ("file", "sha256", "bytes", "method", "examples", "verdict", "problems", "tokens", "cost")
        record = self.to_record()
        return {key: record[key] for key in promised}

    def to_record(self) -> dict[str, Any]:
        """Every field, for keeping a report; :meth:`from_json` reads it back whole."""
        record = dataclasses.asdict(self)
        record["privacy"] = {
            code: {"count": found.count, "lines": list(found.lines)} for code, found in self.privacy.items()
        }
        record["notes"], record["prompts"] = list(self.notes), list(record["prompts"])
        record["problems"] = [{**problem, "lines": list(problem["lines"])} for problem in record["problems"]]
        return record

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Read back :meth:`to_json` (what it leaves out gets a neutral value) or :meth:`to_record`."""
        values: dict[str, Any] = {"rows": data["examples"], "bad_rows": 0, **data}
        values["problems"] = tuple(_problem(problem) for problem in data["problems"])
        values["tokens"] = Tokens(**data["tokens"]) if data.get("tokens") else None
        values["cost"] = Cost(**data["cost"]) if data.get("cost") else None
        values["privacy"] = {
            code: Finding(found["count"], tuple(found["lines"]))
            for code, found in data.get("privacy", {}).items()
        }
        values["prompts"] = tuple(PromptShare(**prompt) for prompt in data.get("prompts", ()))
        values["notes"] = tuple(data.get("notes", ()))
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


def _problem(data: Mapping[str, Any]) -> Problem:
    values: dict[str, Any] = {**data, "lines": tuple(data["lines"])}
    return Problem(**values)
