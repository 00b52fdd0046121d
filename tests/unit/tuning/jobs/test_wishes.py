"""What a person chose in the form reaches the provider, and what does not fit is said at its field."""

from __future__ import annotations

from typing import Any

import pytest

from storage import jobs
from tests.support.provider import BASE
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import StartRefused
from tuning.jobs.graders import refuse_missing_columns

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"
GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


async def test_preferences_are_trained_with_their_method_and_beta(works: Works) -> None:
    data = await works.house.dataset("pairs.jsonl", "p", method="dpo")
    await works.engine.start(works.request(data.id, method="dpo", beta=0.2, wandb_project="bots"))
    await works.engine.settle()
    (body,) = works.house.provider.created
    assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "beta": 0.2}}}
    assert body["integrations"] == [{"type": "wandb", "wandb": {"project": "bots"}}]


async def finished(works: Works) -> None:
    """A first job that has a model."""
    await works.started()
    works.house.provider.jobs[0] |= {"status": "succeeded", "fine_tuned_model": MODEL, "trained_tokens": 9}
    await works.pass_time()
    assert (await works.job()).state == "ready"


async def test_an_earlier_model_of_the_channel_is_trained_further(works: Works) -> None:
    await finished(works)
    job = await works.started(intent="V2", base=MODEL)
    assert (job.state, job.base, job.settings["parent"]) == ("accepted", BASE, "triage-1")
    assert works.house.provider.created[1]["model"] == MODEL
    assert job.estimate["usd"] == pytest.approx(1000 * 3 / 1e6 * 5.0)


async def test_the_model_of_another_channel_is_not_trained_further_here(works: Works) -> None:
    await finished(works)
    await works.house.store.write(lambda db: jobs.change(db, 1, channel="C2"))
    data = await works.house.dataset()
    with pytest.raises(StartRefused, match="another channel"):
        await works.engine.start(works.request(data.id, intent="V2", base=MODEL))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("method", {"method": "dpo"}),
        ("beta", {"beta": 0.1}),
        ("beta", {"beta": 3.0}),
    ],
)
async def test_what_belongs_to_another_method_is_refused_at_its_field(
    works: Works, field: str, wrong: dict[str, Any]
) -> None:
    data = await works.house.dataset()
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(works.request(data.id, **wrong))
    assert refused.value.field == field
    assert works.house.provider.created == []


async def test_reinforcement_needs_a_grader_and_validation_rows_and_sends_both(works: Works) -> None:
    described = {"service": "x", "fine_tunable": True, "methods": ["reinforcement"], "integrations": []}
    works.house.provider.models = [{"id": "rl-base", "object": "model", "x_fine_tuning": described}]
    data = await works.house.dataset("graded.jsonl", "g", method="reinforcement")
    held = await works.house.dataset("graded-val.jsonl", "h", method="reinforcement")
    wish = {"base": "rl-base", "method": "reinforcement"}
    for field, lacking in (("grader", {"validation_id": held.id}), ("validation", {"grader": GRADER})):
        with pytest.raises(StartRefused) as refused:
            await works.engine.start(works.request(data.id, **wish, **lacking))
        assert refused.value.field == field
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(
            works.request(data.id, **wish, validation_id=held.id, grader=GRADER, wandb_project="x")
        )
    assert refused.value.field == "wandb"
    await works.engine.start(works.request(data.id, **wish, validation_id=held.id, grader=GRADER))
    await works.engine.settle()
    (body,) = works.house.provider.created
    assert body["method"]["reinforcement"] == {"grader": GRADER, "hyperparameters": {"n_epochs": 3}}


def test_a_grader_that_reads_a_column_the_data_lacks_is_refused() -> None:
    refuse_missing_columns(GRADER, {"answer": 12})
    refuse_missing_columns(GRADER, {})  # not known
    with pytest.raises(StartRefused, match=r"no column answer\. It has: id, result") as refused:
        refuse_missing_columns(GRADER, {"result": 12, "id": 12})
    assert refused.value.field == "grader"
