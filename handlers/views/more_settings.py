"""*More settings* of the form that starts a job: method and numbers, as the provider takes them."""

from __future__ import annotations

from handlers.answer import Block
from handlers.views import inputs
from handlers.views.form_values import LIMITS
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
_NUMBERS = (
    ("more_epochs", "Epochs", False),
    ("more_batch", "Batch size", False),
    ("more_rate", "Learning rate multiplier", True),
    ("more_beta", "Beta: how close to stay to the model before, 0 to 2", True),
    ("more_seed", "Seed", False),
)


def closed(method: str, integrations: tuple[str, ...]) -> Block:
    """The button in place of the settings: what they are now."""
    beta = " beta," if method == "dpo" else ""
    also = " · W&B" if "wandb" in integrations else ""
    words = f"More settings: {method} · epochs, batch, rate,{beta} seed auto{also}"
    return {**actions(button(words, SHOW)), "block_id": SHOW}


def opened(methods: tuple[str, ...], method: str, integrations: tuple[str, ...]) -> list[Block]:
    """The settings; ``methods`` are those of the chosen base, ``method`` the chosen one."""
    listed = methods if method in methods else (*methods, method)
    options = [option(METHODS.get(one, one), one) for one in listed]
    blocks: list[Block] = [
        {"type": "divider"},
        small("More settings: a number left empty is chosen by the provider."),
        inputs.menu("more_method", "Method", options, method),
    ]
    blocks += [_number(*one) for one in _NUMBERS if one[0] != "more_beta" or method == "dpo"]
    if "wandb" in integrations:
        blocks.append(
            inputs.field(
                "more_wandb",
                "W&B project",
                inputs.words("more_wandb", longest=PROJECT_LENGTH),
                hint="The provider sends this job's figures there, with the key that is registered with it.",
                optional=True,
            )
        )
    return blocks


def grader() -> Block:
    """The grader of reinforcement: it has no default, so it is asked for where everybody sees it."""
    example = '{"type": "string_check", "name": "exact", "input": "{{sample.output_text}}", …}'
    element = inputs.words("grader", longest=GRADER_LENGTH, placeholder=example, lines=True)
    return inputs.field(
        "grader",
        "Grader (JSON)",
        element,
        hint="How answers are judged: string_check, text_similarity, score_model, python or multi."
        " {{item.COLUMN}} is a column of the data.",
    )


def _number(block_id: str, label: str, decimal: bool) -> Block:
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
    return inputs.field(block_id, label, element, optional=True, dispatch=live)
