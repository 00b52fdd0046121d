"""What a wish to train comes to at a provider: the base, the name, the price, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from storage.records import Dataset, Job
from tuning.datasets import Report, estimate
from tuning.jobs import start
from tuning.jobs.fitting import refuse_size
from tuning.jobs.start import StartRequest
from tuning.providers import Base, Profile


@dataclass(frozen=True, slots=True)
class Plan:
    """A wish that can be fulfilled; ``parent``: the job whose model is trained further."""

    base: Base
    suffix: str
    estimate: dict[str, Any] = field(default_factory=dict[str, Any])
    parent: Job | None = None


def plan(
    request: StartRequest,
    profile: Profile,
    training: Dataset,
    parent: Job | None,
    now: float,
    most_usd: float | None,
) -> Plan:
    """The plan for a wish; nobody is asked. ``most_usd``: what a job may cost here.

    Raises:
        StartRefused: a field does not fit.
    """
    start.check_parent(parent, request)
    base = start.check_base(profile, request, now, parent)
    start.check_fits(base, training)
    refuse_size(profile.limits, training)
    start.check_integrations(profile, request)
    suffix = start.check_suffix(profile, request.suffix)
    cost = estimate(Report.from_json(training.report), base.info(), request.epochs or "auto")
    if profile.charges:
        start.check_price(cost, most_usd)
    return Plan(base, suffix, start.estimate_record(cost, base, profile.charges), parent)
