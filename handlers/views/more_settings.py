"""*More settings* of the form that starts a job: method and numbers, as the provider takes them."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.answer import Block
from handlers.views import inputs
from handlers.views.form_values import DECIMALS, LIMITS
from handlers.views.layout import actions, button, option, small

SHOW = "more"
"""Action of the button that shows these settings."""
METHODS = {
    "supervised": "Supervised: learns the answers",
    "dpo": "Preferences (DPO): learns which answer is better",
    "reinforcement": "Reinforcement: learns from grades",
}
GRADER_LENGTH = 3_000
PROJECT_LENGTH = 128
SETTINGS = {
    "more_epochs": "epochs",
    "more_batch": "batch_size",
    "more_rate": "learning_rate_multiplier",
    "more_beta": "beta",
    "more_seed": "seed",
    "more_wandb": "wandb_project",
}
"""What ``Job.settings`` calls each field."""
WORDS = ("more_wandb", "grader")
"""Fields of words, by block id."""
_NUMBERS = {
    "more_epochs": "Epochs",
    "more_batch": "Batch size",
    "more_rate": "Learning rate multiplier",
    "more_beta": "Beta: how close to stay to the model before, 0 to 2",
    "more_seed": "Seed",
}


def closed(method: str, integrations: tuple[str, ...]) -> Block:
    """The button in place of the settings: what they are now."""
    beta = " beta," if method == "dpo" else ""
    also = " · W&B" if "wandb" in integrations else ""
    words = f"More settings: {method} · epochs, batch, rate,{beta} seed auto{also}"
    return {**actions(button(words, SHOW)), "block_id": SHOW}


def opened(
    methods: tuple[str, ...], method: str, integrations: tuple[str, ...], typed: Mapping[str, str]
) -> list[Block]:
    """The settings; ``methods`` are those of the chosen base, ``method`` the chosen one.

    ``typed``: what stands in the fields, by block id.
    """
    listed = methods if method in methods else (*methods, method)
    options = [option(METHODS.get(one, one), one) for one in listed]
    blocks: list[Block] = [
        {"type": "divider"},
        small("More settings: a number left empty is chosen by the provider."),
        inputs.menu("more_method", "Method", options, method),
    ]
    shown = [block_id for block_id in _NUMBERS if block_id != "more_beta" or method == "dpo"]
    blocks += [_number(block_id, typed.get(block_id, "")) for block_id in shown]
    if "wandb" in integrations:
        blocks.append(
            inputs.field(
                "more_wandb",
                "W&B project",
                inputs.words("more_wandb", longest=PROJECT_LENGTH, value=typed.get("more_wandb", "")),
                hint="The provider sends this job's figures there, with the key that is registered with it.",
                optional=True,
            )
        )
    return blocks


def grader(typed: Mapping[str, str]) -> Block:
    """The grader of reinforcement: it has no default, so it is asked for where everybody sees it."""
    example = '{"type": "string_check", "name": "exact", "input": "{{sample.output_text}}", …}'
    element = inputs.words(
        "grader", longest=GRADER_LENGTH, value=typed.get("grader", ""), placeholder=example, lines=True
    )
    return inputs.field(
        "grader",
        "Grader (JSON)",
        element,
        hint="How answers are judged: string_check, text_similarity, score_model, python or multi."
        " {{item.COLUMN}} is a column of the data.",
    )


def _number(block_id: str, typed: str) -> Block:
    low, high = LIMITS[block_id]
    decimal = block_id in DECIMALS
    element: Block = {
        "type": "number_input",
        "action_id": block_id,
        "is_decimal_allowed": decimal,
        "min_value": f"{low:g}" if decimal else str(int(low)),
        "max_value": f"{high:g}" if decimal else str(int(high)),
    }
    if typed:
        element["initial_value"] = typed
    live = block_id == "more_epochs"
    if live:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return inputs.field(block_id, _NUMBERS[block_id], element, optional=True, dispatch=live)
