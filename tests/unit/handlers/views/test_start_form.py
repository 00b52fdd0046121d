from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from handlers.views.prices import Offer, price_line
from handlers.views.start_form import BLOCK_OF, Form, chosen, parse, start_form, submit_words, wish_of
from localslack.blocks import check_view
from tests.support.samples import COST, MINI, OPENAI, SMOL, TRAINER, a_dataset, a_job
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
            if block in ("dataset", "validation", "base", "more_method")
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


def filled(**changes: Any) -> dict[str, Any]:
    """The form with everything in it."""
    profile = replace(OPENAI, integrations=("wandb",))
    dataset = a_dataset(method=changes.pop("method", "supervised"))
    offer = Offer("openai", profile, changes.pop("base", MINI), COST)
    values: dict[str, Any] = {"private": ["2 secrets"], "more": True} | changes
    return start_form(Form("C1", [dataset], [offer], dataset, offer, None, "triage", "triage-7", **values))


def blocks_of(view: dict[str, Any]) -> set[str]:
    return {b["block_id"] for b in view["blocks"] if "block_id" in b}


def test_every_field_a_refusal_can_name_is_in_the_form():
    seen = [filled(method=method) for method in ("supervised", "dpo", "reinforcement")]
    assert set(BLOCK_OF.values()) == set().union(*map(blocks_of, seen))


def test_more_settings_are_a_button_that_says_what_they_are():
    view = filled(more=False)
    assert check_view(view) is None
    assert not blocks_of(view) & {"more_epochs", "more_method", "more_wandb"}
    (button,) = next(b for b in view["blocks"] if b.get("block_id") == "more")["elements"]
    assert button["text"]["text"] == "More settings: supervised · epochs, batch, rate, seed auto · W&B"
    assert chosen(view | {"state": {}}).more is False
    assert chosen(filled()).more is True


@pytest.mark.parametrize(
    ("method", "there"),
    [("supervised", set()), ("dpo", {"more_beta"}), ("reinforcement", {"grader"})],
)
def test_beta_is_for_preferences_and_a_grader_for_reinforcement(method: str, there: set[str]):
    view = filled(method=method)
    assert check_view(view) is None
    assert blocks_of(view) & {"more_beta", "grader"} == there


def test_the_methods_are_those_of_the_base_and_the_one_of_the_data_is_chosen():
    view = filled(method="dpo", base=replace(MINI, methods=("supervised", "dpo")))
    menu = next(b for b in view["blocks"] if b.get("block_id") == "more_method")["element"]
    assert [o["value"] for o in menu["options"]] == ["supervised", "dpo"]
    assert menu["initial_option"]["value"] == "dpo"


def test_wandb_is_asked_for_only_where_the_provider_can():
    dataset, offer = a_dataset(), Offer("trainer", TRAINER, SMOL, COST)
    view = start_form(Form("C1", [dataset], [offer], dataset, offer, None, "t", "t-1", more=True))
    assert "more_wandb" not in blocks_of(view)


GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


def test_more_settings_reach_the_wish():
    view = submitted(more_method="dpo", more_beta="0.2", more_wandb="support bots", grader=json.dumps(GRADER))
    wish = parse(view, "U1")
    assert isinstance(wish, StartRequest)
    assert (wish.method, wish.beta, wish.wandb_project) == ("dpo", 0.2, "support bots")
    assert wish.grader == GRADER


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes, line 1, column 2"),
        ("[]", "an object in braces"),
        ('{"type": "magic"}', "needs a type: string_check, text_similarity"),
        (json.dumps(GRADER | {"operation": "equals"}), "operation is one of eq, ne, like, ilike"),
        (json.dumps(GRADER | {"reference": 5}), "needs reference, text"),
        ('{"type": "multi", "name": "m", "calculate_output": "a", "graders": {"a": {}}}', "Grader a needs"),
        ("[" * 2000, "nested too deeply"),
    ],
)
def test_a_grader_that_is_none_is_marked_at_its_field(text: str, words: str):
    errors = parse(submitted(grader=text), "U1")
    assert isinstance(errors, dict)
    assert words in errors["grader"]


def test_an_earlier_model_can_be_trained_further_and_says_its_price_and_last_day():
    dataset = a_dataset()
    parent = a_job(name="triage-6", state="ready", fine_tuned_model="ft:gpt-4.1-mini:org:triage-6:x")
    fresh = Offer("openai", OPENAI, MINI, COST)
    offers = [fresh, replace(fresh, parent=parent)]
    view = start_form(Form("C1", [dataset], offers, dataset, fresh, None, "triage", "triage-7"))
    menu = next(b for b in view["blocks"] if b.get("block_id") == "base")["element"]
    assert [o["text"]["text"] for o in menu["options"]] == [
        "OpenAI gpt-4.1-mini · $5.00 per 1M",
        "triage-6, further · $5.00 per 1M",
    ]
    assert menu["options"][1]["description"]["text"] == "made from gpt-4.1-mini · answers until 14 Jan 2027"
    assert menu["options"][1]["value"] == "openai|ft:gpt-4.1-mini:org:triage-6:x"


def test_price_and_time_stand_on_the_submit_button():
    slow = replace(MINI, seconds_per_1k_tokens=3.0)
    assert submit_words(Offer("openai", OPENAI, MINI, COST)) == "Start · about $4.78"
    assert submit_words(Offer("openai", OPENAI, slow, COST)) == "Start · $4.78 · 48 min"
    assert submit_words(Offer("trainer", TRAINER, SMOL, COST)) == "Start · no fee · 2 min"
    assert submit_words(Offer("openai", OPENAI, MINI, None)) == "Start · price unknown"
    dear = replace(COST, usd=1_234_567.0, billed_tokens=100_000_000)
    assert submit_words(Offer("openai", OPENAI, slow, dear)) == "Start · $1,234,567.00"
    assert "about 48 min of training" in str(price_line(Offer("openai", OPENAI, slow, COST), 318_400))


def test_what_is_typed_stays_when_the_form_is_shown_again_and_nonsense_is_left_out():
    typed = chosen(
        submitted(more_epochs="4", more_rate="1.5", more_batch="9999", more_seed="x", more_wandb="bots")
    ).typed
    assert typed == {"more_epochs": "4", "more_rate": "1.5", "more_wandb": "bots"}
    view = filled(typed=typed)
    assert check_view(view) is None
    shown = {b["block_id"]: b["element"].get("initial_value") for b in view["blocks"] if "element" in b}
    assert (shown["more_epochs"], shown["more_rate"], shown["more_batch"]) == ("4", "1.5", None)
    assert shown["more_wandb"] == "bots"


def test_a_job_is_started_again_with_its_name_and_settings():
    asked = {
        "method": "dpo",
        "epochs": 4,
        "beta": 0.2,
        "learning_rate_multiplier": 0.5,
        "parent": "triage-6",
        "parent_model": "ft:six",
    }
    again = wish_of(a_job(settings=asked, suffix="triage"), 8, None)
    assert (again.dataset_id, again.offer_key, again.suffix) == (8, "openai|ft:six", "triage")
    assert (again.epochs, again.method, again.more) == (4, "dpo", True)
    assert again.typed == {"more_epochs": "4", "more_rate": "0.5", "more_beta": "0.2"}
    graded = wish_of(a_job(settings={"method": "reinforcement", "grader": GRADER}), 8, 9)
    assert json.loads(graded.typed["grader"]) == GRADER
    assert graded.more is False
    view = filled(method="dpo", typed=again.typed)
    assert check_view(view) is None
