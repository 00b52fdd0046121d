from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.views.prices import Offer
from handlers.views.start_form import BLOCK_OF, Form, chosen, parse, start_form, submit_words
from tests.support.samples import COST, MINI, OPENAI, SMOL, TRAINER, a_dataset
from tuning.jobs.start import StartRequest


def submitted(**values: str | None) -> dict[str, Any]:
    """A view as Slack sends it when the form is submitted."""
    filled: dict[str, str | None] = {
        "dataset": "1",
        "validation": "2",
        "base": "openai|gpt-4.1-mini-2025-04-14",
        "name": "triage",
        "more_epochs": None,
        "more_batch": None,
        "more_rate": None,
        "more_seed": None,
    } | values
    state = {
        block: {
            block: {"selected_option": {"value": value} if value else None}
            if block in ("dataset", "validation", "base")
            else {"type": "plain_text_input", "value": value}
        }
        for block, value in filled.items()
    }
    metadata = json.dumps({"channel": "C1"})
    return {"id": "V1", "callback_id": "start_form", "private_metadata": metadata, "state": {"values": state}}


def test_a_filled_form_becomes_one_wish_whose_intent_is_the_view():
    wish = parse(submitted(more_epochs="4", more_rate="1.5", more_seed="7"), "U1")
    assert wish == StartRequest(
        intent="V1",
        dataset_id=1,
        validation_id=2,
        provider="openai",
        base="gpt-4.1-mini-2025-04-14",
        suffix="triage",
        epochs=4,
        batch_size=None,
        learning_rate_multiplier=1.5,
        seed=7,
        channel="C1",
        owner="U1",
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "no spaces or / please!"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "<!channel>"}, "name"),
        ({"more_epochs": "many"}, "more_epochs"),
        ({"more_epochs": "0"}, "more_epochs"),
        ({"more_epochs": "2.5"}, "more_epochs"),
        ({"more_rate": "nan"}, "more_rate"),
        ({"more_batch": "1000"}, "more_batch"),
        ({"validation": "1"}, "validation"),
        ({"dataset": None}, "dataset"),
        ({"base": None}, "base"),
    ],
)
def test_a_wrong_value_is_answered_at_its_field(values, field):
    errors = parse(submitted(**values), "U1")
    assert isinstance(errors, dict)
    assert list(errors) == [field]


def test_no_validation_is_a_choice():
    wish = parse(submitted(validation="none"), "U1")
    assert isinstance(wish, StartRequest)
    assert wish.validation_id is None


def test_what_is_chosen_so_far_survives_nonsense():
    now = chosen(submitted(more_epochs="x", name=None, base=None))
    assert (now.dataset_id, now.offer_key, now.suffix, now.epochs) == (1, None, "", None)


def test_every_field_a_refusal_can_name_is_in_the_form():
    dataset = a_dataset()
    offer = Offer("openai", OPENAI, MINI, COST)
    form = Form("C1", [dataset], [offer], dataset, offer, None, "triage", "triage-7", private=["2 secrets"])
    view = start_form(form)
    assert set(BLOCK_OF.values()) == {b["block_id"] for b in view["blocks"] if "block_id" in b}


def test_the_price_stands_on_the_submit_button():
    assert submit_words(Offer("openai", OPENAI, MINI, COST)) == "Start · about $4.78"
    assert submit_words(Offer("trainer", TRAINER, SMOL, COST)) == "Start · no fee"
    assert submit_words(Offer("openai", OPENAI, MINI, None)) == "Start · price unknown"
