"""Records as tests like them: whole, plausible and easy to change."""

from __future__ import annotations

from typing import Any

from storage.records import Checkpoint, Dataset, Evaluation, Event, Job
from tuning.datasets.report import Cost, Problem, Report, Tokens
from tuning.providers.profile import Base, Profile

NOW = 1_795_000_000.0
COST = Cost(3, True, 955_200, 4.776, 5.0, "2026-11-21", "")
MINI = Base(
    "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-mini",
    price_per_1m=5.0,
    priced_on="2026-11-21",
    shutdown_date="2027-01-14",
)
OPENAI = Profile("openai", "OpenAI", (MINI,))
SMOL = Base("smollm2-135m", "smollm2-135m", seconds_per_1k_tokens=0.1)
TRAINER = Profile("trainer", "Our trainer", (SMOL,), charges=False)


def a_report(*problems: Problem, verdict: Any = "accept", **changes: Any) -> Report:
    """A report of a chat file with 1,240 rows."""
    values: dict[str, Any] = {
        "file": "triage.jsonl",
        "sha256": "ab" * 32,
        "bytes": 900_000,
        "method": "supervised",
        "examples": 1240,
        "rows": 1240,
        "verdict": verdict,
        "problems": problems,
        "tokens": Tokens(318_400, 212, 900, 3910, 0, 65_536, "o200k_base", True),
        "cost": COST,
        "bad_rows": sum(p.count for p in problems if p.severity == "error"),
        "system_prompt": "Sort tickets.",
    }
    return Report(**{**values, **changes})


def a_dataset(report: Report | None = None, **changes: Any) -> Dataset:
    """A dataset that is ready, unless ``state`` says otherwise."""
    found = report or a_report()
    values: dict[str, Any] = {
        "id": 1,
        "name": "triage.jsonl",
        "version": 7,
        "channel": "C1",
        "thread": "1795000000.000100",
        "user": "U1",
        "drop_id": "C1:1795000000.000100:F1",
        "state": "ready",
        "created_at": NOW,
        "sha256": found.sha256,
        "bytes": found.bytes,
        "method": found.method,
        "examples": found.examples,
        "tokens": found.tokens.total if found.tokens else 0,
        "report": found.to_record(),
    }
    return Dataset(**{**values, **changes})


def a_job(**changes: Any) -> Job:
    """A job in training."""
    values: dict[str, Any] = {
        "id": 1,
        "intent": "V1",
        "name": "triage-7",
        "suffix": "triage",
        "number": 7,
        "provider": "openai",
        "base": "gpt-4.1-mini-2025-04-14",
        "dataset_id": 1,
        "channel": "C1",
        "owner": "U1",
        "state": "training",
        "status": "running",
        "created_at": NOW,
        "started_at": NOW + 60,
        "heard_at": NOW + 600,
        "provider_job_id": "ftjob-abc",
        "estimate": {"usd": 4.776, "tokens": 318_400, "billed_tokens": 955_200, "epochs": 3},
        "progress": {
            "step": 567,
            "total_steps": 930,
            "epoch": 1,
            "epochs": 3,
            "train_loss": 0.31,
            "first_loss": 2.14,
            "valid_loss": 0.34,
            "first_valid_loss": 0.92,
            "token_accuracy": 0.91,
        },
    }
    return Job(**{**values, **changes})


def a_checkpoint(number: int, valid_loss: float | None, **changes: Any) -> Checkpoint:
    """The checkpoint of an epoch."""
    metrics = {"train_loss": 0.3, "full_valid_loss": valid_loss}
    values: dict[str, Any] = {
        "job_id": 1,
        "checkpoint_id": f"ftckpt-{number}",
        "model": f"ft:x:ckpt-step-{number * 310}",
        "step": number * 310,
        "number": number,
        "created_at": NOW + number,
        "metrics": metrics,
    }
    return Checkpoint(**{**values, **changes})


def a_score(base: int, tuned: int, total: int) -> Evaluation:
    """A score of base and tuned model."""
    scores = [
        {"label": "gpt-4.1-mini", "model": "gpt", "right": base, "total": total},
        {"label": "triage-7", "model": "ft:x", "right": tuned, "total": total},
    ]
    return Evaluation(1, "done", NOW, "exact answers", scores)


def a_safety_event(*failed: str, total: int = 13, message: str = "Safety checks are done") -> Event:
    """The safety event of a job with these categories flagged."""
    names = [*failed, *(f"category {n}" for n in range(total - len(failed)))]
    results = [{"category": name, "flagged": name in failed} for name in names]
    return Event(1, "ftevent-s", NOW + 500, "info", "moderation_checks", message, {"results": results})
