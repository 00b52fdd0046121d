"""Epochs and price before anything starts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tuning.datasets import BaseInfo, Report, auto_epochs, base_info, estimate


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(1, 25), (10, 10), (33, 3), (34, 3), (1_240, 3), (8_333, 3), (8_334, 2), (30_000, 1)],
)
def test_auto_is_three_epochs_more_for_tiny_sets_fewer_for_huge_ones(examples: int, epochs: int) -> None:
    assert auto_epochs(examples) == epochs


def test_a_fine_tune_has_the_encoding_and_price_of_its_base() -> None:
    base = base_info("ft:gpt-4.1-mini-2025-04-14:acme:triage-7:AbCd")
    assert base == base_info("gpt-4.1-mini-2025-04-14")
    assert (base.encoding, base.price_per_1m) == ("o200k_base", 5.0)
    assert base_info("gpt-4o-mini").price_per_1m == 3.0
    assert base_info("gpt-4o-2024-08-06").price_per_1m == 25.0
    assert base_info("gpt-3.5-turbo-0125").encoding == "cl100k_base"


def test_an_unknown_base_has_no_price_and_no_exact_tokens() -> None:
    assert base_info("gpt-6-luna") == BaseInfo("gpt-6-luna", None, None, None, None, exact=False)


def test_the_price_is_tokens_times_epochs(report_on: Callable[..., Report], good: list[bytes]) -> None:
    report = report_on(b"\n".join(good), base=base_info("gpt-4.1-mini"))
    assert report.tokens is not None
    assert report.cost is not None
    assert report.cost.epochs_auto
    assert report.cost.billed_tokens == report.tokens.total * 3
    assert report.cost.usd == pytest.approx(report.tokens.total * 3 * 5 / 1_000_000, abs=1e-4)
    assert report.cost.priced_on == "2026-11-21"


def test_an_estimate_for_our_own_trainer_has_no_fee_and_a_time(
    report_on: Callable[..., Report], good: list[bytes]
) -> None:
    report = report_on(b"\n".join(good))
    trainer = BaseInfo(
        "smollm2-135m-instruct", None, 2_048, 0.0, None, exact=False, seconds_per_1k_tokens=8.0
    )
    cost = estimate(report, trainer, 2)
    assert (cost.usd, cost.epochs, cost.epochs_auto) == (0.0, 2, False)
    assert cost.note.startswith("no fee, about ")
    assert "an estimate for smollm2-135m-instruct" in cost.note


def test_reinforcement_has_no_price_per_token(report_on: Callable[..., Report]) -> None:
    row = b'{"messages": [{"role": "user", "content": "2+%d?"}], "answer": "4"}'
    report = report_on(b"\n".join(row % n for n in range(12)), base=base_info("gpt-4.1"))
    assert report.cost is not None
    assert report.cost.usd is None
    assert "price unknown" in report.cost.note
