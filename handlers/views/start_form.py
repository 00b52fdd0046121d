"""The form that starts a job: opened at once as a skeleton, then filled, then updated as choices change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.answer import Block
from handlers.text import about, cut, duration, money, name, plural
from handlers.views import inputs, more_settings
from handlers.views.dataset_words import overlap_words
from handlers.views.layout import Line, bold, option, plain, rich, small
from handlers.views.overlapping import overlap_tick
from handlers.views.prices import Offer, base_note, base_words, price_line
from handlers.views.start_wish import (
    AS_IS,
    BLOCK_OF,
    NAME_PATTERN,
    NAME_WORDS,
    NO_VALIDATION,
    REDACTED,
    SPLIT,
    Chosen,
    chosen,
    parse,
    wish_of,
)
from storage.records import Dataset, Overlap

__all__ = [
    "AS_IS",
    "BLOCK_OF",
    "CALLBACK",
    "REDACTED",
    "SPLIT",
    "Chosen",
    "Form",
    "chosen",
    "parse",
    "skeleton",
    "start_form",
    "submit_words",
    "wish_of",
]

CALLBACK = "start_form"
SUBMIT_LENGTH = 24
_CHOICES = 100


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows; ``dataset``, ``validation`` and ``offer`` are the chosen ones.

    ``next_name`` (``triage-7``) is what the job would be called; ``problem`` why there is nothing to offer.
    ``overlap``: of the chosen validation data with the training data; ``split``: part of the data is to be
    held out; ``private``: what was found that nobody decided about yet; ``leaves``: the choice about it.
    ``more``: whether *More settings* are shown; ``method``: the chosen one, ``""`` for that of the data;
    ``typed``: what stands in their fields, by block id.
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
    more: bool = False
    method: str = ""
    typed: Mapping[str, str] = field(default_factory=dict[str, str])


def skeleton(channel: str) -> dict[str, Any]:
    """The form before it is filled: it opens within Slack's three seconds whatever the provider does."""
    return _modal(channel, [rich(["One moment: looking up datasets, models and prices…"])])


def refused(channel: str, words: str) -> dict[str, Any]:
    """The form that cannot be filled: why, in plain words."""
    return _modal(channel, [rich(["⚠️ ", cut(words, 600)])])


def start_form(form: Form) -> dict[str, Any]:
    """The filled form."""
    if form.offer is None:
        words = form.problem or "No provider answers with a model to train on."
        return _modal(form.channel, [rich(["⚠️ ", words])])
    tokens, offer = form.dataset.tokens, form.offer
    blocks: list[Block] = [
        inputs.menu(
            "dataset", "Training data", [_dataset(d) for d in form.datasets[:_CHOICES]], str(form.dataset.id)
        ),
        _validation(form),
        *_overlap(form),
        inputs.menu("base", "Train on", [_base(o) for o in form.offers[:_CHOICES]], offer.key),
        _name(form),
        rich(price_line(offer, tokens)),
    ]
    blocks.append(small(*_notes(form, offer)))
    if form.private:
        blocks += _leaves(form, offer)
    method, integrations = form.method or form.dataset.method or "supervised", offer.profile.integrations
    if method == "reinforcement":
        blocks.append(more_settings.grader(form.typed))
    if form.more:
        blocks += more_settings.opened(offer.base.methods, method, integrations, form.typed)
    else:
        blocks.append(more_settings.closed(method, integrations))
    return _modal(form.channel, blocks, submit=submit_words(offer), more=form.more)


def submit_words(offer: Offer) -> str:
    """The submit button with price and time, as much of both as fits into 24 characters."""
    time = f" · {duration(offer.seconds)}" if offer.seconds else ""
    ways = [f"{price(offer.usd)}{rest}" for rest in dict.fromkeys((time, "")) for price in (about, money)]
    return next((words for way in ways if len(words := f"Start · {way}") <= SUBMIT_LENGTH), "Start")


def _modal(channel: str, blocks: list[Block], submit: str = "", *, more: bool = False) -> dict[str, Any]:
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Train a model", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": channel} | ({"more": True} if more else {})),
        "blocks": blocks,
    }
    if submit:
        view["submit"] = plain(submit, 24)
    return view


def _dataset(dataset: Dataset) -> Block:
    return option(
        f"{name(dataset.name, 40)} v{dataset.version} · {plural(dataset.examples, 'example')}",
        str(dataset.id),
    )


def _base(offer: Offer) -> Block:
    return option(base_words(offer), cut(offer.key, 150), base_note(offer))


def _validation(form: Form) -> Block:
    options = [option("None: overfitting cannot be seen", NO_VALIDATION)]
    options.append(option("Split off 10 % of the training data", SPLIT))
    options += [_dataset(d) for d in form.datasets if d.id != form.dataset.id][: _CHOICES - 2]
    value = str(form.validation.id) if form.validation else SPLIT if form.split else NO_VALIDATION
    menu = inputs.menu("validation", "Validation", options, value)
    words = overlap_words(form.overlap) if form.validation else ""
    return {**menu, "hint": plain(words[:1].upper() + words[1:], 200)} if words else menu


def _overlap(form: Form) -> list[Block]:
    """The way to go on although rows are in both files, where nobody has gone it for these two yet.

    Also while it is not known whether any are: the form may be refused for them when it is sent.
    """
    overlap = form.overlap
    asked = overlap is None or (overlap.rows and not overlap.allowed_by)
    return [overlap_tick()] if form.validation is not None and asked else []


def _name(form: Form) -> Block:
    """The name; what becomes of it is told while it is typed."""
    element = inputs.words("name", longest=40, value=form.suffix, live=True)
    fits = NAME_PATTERN.fullmatch(form.suffix)
    hint = f"Becomes {form.next_name}: the name people type." if fits else NAME_WORDS
    return inputs.field("name", "Name", element, hint=hint, dispatch=True)


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
    return [rich(["🔒 ", *found]), inputs.field("leaves", "Private data", radio)]
