"""The form that starts a job: opened at once as a skeleton, then filled, then updated as choices change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.answer import Block
from handlers.text import about, cut, name, plural
from handlers.views.dataset_words import overlap_words
from handlers.views.form_values import LIMITS, channel_of, checked, id_of, number_in, selected, typed
from handlers.views.layout import Line, bold, option, plain, rich, small
from handlers.views.prices import Offer, base_words, price_line, until
from storage.records import Dataset, Overlap
from tuning.jobs.start import StartRequest

CALLBACK = "start_form"
NO_VALIDATION = "none"
SPLIT = "split"
AS_IS = "as_is"
REDACTED = "redacted"
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
BLOCK_OF = {
    "dataset": "dataset",
    "validation": "validation",
    "leaves": "leaves",
    "base": "base",
    "name": "name",
    "epochs": "more_epochs",
    "batch": "more_batch",
    "rate": "more_rate",
    "seed": "more_seed",
}
"""Block id of each field that ``StartRefused.field`` may name."""

_CHOICES = 100


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows; ``dataset``, ``validation`` and ``offer`` are the chosen ones.

    ``next_name`` (``triage-7``) is what the job would be called; ``problem`` why there is nothing to offer.
    ``overlap``: of the chosen validation data with the training data; ``split``: part of the data is to be
    held out; ``private``: what was found that nobody decided about yet; ``leaves``: the choice about it.
    """

    channel: str
    datasets: Sequence[Dataset]
    offers: Sequence[Offer]
    dataset: Dataset
    offer: Offer | None
    validation: Dataset | None
    suffix: str
    next_name: str
    trained: Sequence[str] = ()
    problem: str = ""
    overlap: Overlap | None = None
    split: bool = False
    private: Sequence[str] = ()
    leaves: str = REDACTED


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen in a form that is being filled in; ``None`` where nothing is."""

    channel: str
    dataset_id: int | None
    validation_id: int | None
    offer_key: str | None
    suffix: str
    epochs: int | None
    split: bool = False
    leaves: str = REDACTED


def skeleton(channel: str) -> dict[str, Any]:
    """The form before it is filled: it opens within Slack's three seconds whatever the provider does."""
    return _modal(channel, [rich(["One moment: looking up datasets, models and prices…"])])


def start_form(form: Form) -> dict[str, Any]:
    """The filled form."""
    if form.offer is None:
        words = form.problem or "No provider answers with a model to train on."
        return _modal(form.channel, [rich(["⚠️ ", words])])
    tokens, offer = form.dataset.tokens, form.offer
    blocks: list[Block] = [
        _menu(
            "dataset", "Training data", [_dataset(d) for d in form.datasets[:_CHOICES]], str(form.dataset.id)
        ),
        _validation(form),
        _menu("base", "Train on", [_base(o) for o in form.offers[:_CHOICES]], offer.key),
        _name(form),
        rich(price_line(offer, tokens)),
    ]
    blocks.append(small(*_notes(form, offer)))
    if form.private:
        blocks += _leaves(form, offer)
    blocks += [{"type": "divider"}, small("More settings: leave empty and the provider chooses."), *_more()]
    return _modal(form.channel, blocks, submit=submit_words(offer))


def submit_words(offer: Offer) -> str:
    """The submit button with the price, at most 24 characters."""
    words = f"Start · {about(offer.usd)}"
    return words if len(words) <= 24 else "Start"


def chosen(view: Mapping[str, Any]) -> Chosen:
    """What a form holds at this moment; values that make no sense yet count as nothing."""
    validation = selected(view, "validation")
    epochs = number_in(view, "more_epochs", int)
    return Chosen(
        channel=channel_of(view),
        dataset_id=id_of(selected(view, "dataset")),
        validation_id=id_of(validation),
        offer_key=selected(view, "base"),
        suffix=typed(view, "name"),
        epochs=None if isinstance(epochs, str) else epochs,
        split=validation == SPLIT,
        leaves=selected(view, "leaves") or REDACTED,
    )


def parse(view: Mapping[str, Any], user: str) -> StartRequest | dict[str, str]:
    """The wish a submitted form holds, or the errors by block id for ``response_action: errors``.

    The intent is the view's id, so that submitting twice starts one job. Nothing is asked of the store or the
    provider: what only they can know is said later, as a message.
    """
    errors: dict[str, str] = {}
    now = chosen(view)
    provider, _, base = (now.offer_key or "").partition("|")
    if now.dataset_id is None:
        errors["dataset"] = "Choose the training data."
    elif now.dataset_id == now.validation_id:
        errors["validation"] = "This is the training data itself; choose another file, or none."
    if not provider or not base:
        errors["base"] = "Choose what to train on."
    if not NAME_PATTERN.fullmatch(now.suffix):
        errors["name"] = "Use up to 40 letters, digits, - and _, beginning with a letter or digit."
    epochs = checked(view, "more_epochs", int, errors)
    batch = checked(view, "more_batch", int, errors)
    rate = checked(view, "more_rate", float, errors)
    seed = checked(view, "more_seed", int, errors)
    if errors or now.dataset_id is None:
        return errors
    return StartRequest(
        intent=str(view["id"]),
        dataset_id=now.dataset_id,
        validation_id=now.validation_id,
        provider=provider,
        base=base,
        suffix=now.suffix,
        epochs=epochs,
        batch_size=batch,
        learning_rate_multiplier=rate,
        seed=seed,
        channel=now.channel,
        owner=user,
        release=now.leaves == AS_IS,
    )


def _modal(channel: str, blocks: list[Block], submit: str = "") -> dict[str, Any]:
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Train a model", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": channel}),
        "blocks": blocks,
    }
    if submit:
        view["submit"] = plain(submit, 24)
    return view


def _menu(block_id: str, label: str, options: list[Block], value: str, *, dispatch: bool = True) -> Block:
    initial = next((choice for choice in options if choice["value"] == value), options[0])
    menu = {"type": "static_select", "action_id": block_id, "options": options, "initial_option": initial}
    return _input(block_id, label, menu, dispatch=dispatch)


def _input(
    block_id: str,
    label: str,
    element: Block,
    *,
    hint: str = "",
    optional: bool = False,
    dispatch: bool = False,
) -> Block:
    block: Block = {"type": "input", "block_id": block_id, "label": plain(label, 100), "element": element}
    if hint:
        block["hint"] = plain(hint, 200)
    if optional:
        block["optional"] = True
    if dispatch:
        block["dispatch_action"] = True
    return block


def _dataset(dataset: Dataset) -> Block:
    return option(
        f"{name(dataset.name, 40)} v{dataset.version} · {plural(dataset.examples, 'example')}",
        str(dataset.id),
    )


def _base(offer: Offer) -> Block:
    return option(base_words(offer), cut(offer.key, 150), until(offer.base))


def _validation(form: Form) -> Block:
    options = [option("None: overfitting cannot be seen", NO_VALIDATION)]
    options.append(option("Split off 10 % of the training data", SPLIT))
    options += [_dataset(d) for d in form.datasets if d.id != form.dataset.id][: _CHOICES - 2]
    value = str(form.validation.id) if form.validation else SPLIT if form.split else NO_VALIDATION
    menu = _menu("validation", "Validation", options, value)
    words = overlap_words(form.overlap) if form.validation else ""
    return {**menu, "hint": plain(words[:1].upper() + words[1:], 200)} if words else menu


def _name(form: Form) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "name", "max_length": 40}
    if form.suffix:
        element["initial_value"] = form.suffix
    return _input("name", "Name", element, hint=f"Becomes {form.next_name}: the name people type.")


def _notes(form: Form, offer: Offer) -> list[str]:
    place = name(offer.profile.label, 40)
    notes = [f"{plural(form.dataset.examples, 'row')} go to {place}"]
    if form.trained:
        notes.append("trained on this data before: " + ", ".join(form.trained[:3]))
    return notes


def _leaves(form: Form, offer: Offer) -> list[Block]:
    """What is to be decided about private values before the data leaves."""
    place = name(offer.profile.label, 40)
    count = plural(form.dataset.examples, "row")
    found: Line = [bold(f"Leaves for {place}: "), f"{count}, among them {', '.join(form.private)}"]
    options = [
        option("Send the redacted copy", REDACTED),
        option("Send as it is, recorded with my name", AS_IS),
    ]
    initial = options[1] if form.leaves == AS_IS else options[0]
    radio: Block = {
        "type": "radio_buttons",
        "action_id": "leaves",
        "options": options,
        "initial_option": initial,
    }
    return [rich(["🔒 ", *found]), _input("leaves", "Private data", radio)]


def _more() -> list[Block]:
    fields = (
        ("more_epochs", "Epochs", False),
        ("more_batch", "Batch size", False),
        ("more_rate", "Learning rate multiplier", True),
        ("more_seed", "Seed", False),
    )
    return [_more_field(*field) for field in fields]


def _more_field(block_id: str, label: str, decimal: bool) -> Block:
    low, high = LIMITS[block_id]
    element: Block = {
        "type": "number_input",
        "action_id": block_id,
        "is_decimal_allowed": decimal,
        "min_value": f"{low:g}" if decimal else str(int(low)),
        "max_value": f"{high:g}" if decimal else str(int(high)),
    }
    live = block_id == "more_epochs"
    if live:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return _input(block_id, label, element, optional=True, dispatch=live)
