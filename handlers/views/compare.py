"""Two models side by side: the form that asks for them, and their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.answer import Block, Message
from handlers.text import cut, esc, name, plural
from handlers.views.choices import searched
from handlers.views.form_values import selected, typed
from handlers.views.layout import Part, actions, bold, button, plain, preformatted, rich, small

CALLBACK = "compare_form"
ANSWER = 1_900
"""Characters of an answer that are shown: a field of a section holds 2,000."""
_MARKUP = re.compile(r"[*~`]|(?<!\w)_|_(?!\w)|:\S+:")
"""What ends or begins another style in mrkdwn; ``_`` does so at the edge of a word only."""


@dataclass(frozen=True, slots=True)
class Side:
    """One model's answer, or what became of it instead."""

    label: str
    text: str = ""
    seconds: float | None = None
    tokens: int | None = None
    trouble: str = ""


def compare_form(channel: str, first: str = "", second: str = "") -> dict[str, Any]:
    """Two searched menus and the question."""
    question: Block = {
        "type": "plain_text_input",
        "action_id": "question",
        "multiline": True,
        "max_length": 3000,
    }
    one, two = _menu("form_first", first), _menu("form_second", second)
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Compare two models", 24),
        "submit": plain("Ask both", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": channel}),
        "blocks": [
            {"type": "input", "block_id": "first", "label": plain("Left"), "element": one},
            {"type": "input", "block_id": "second", "label": plain("Right"), "element": two},
            {"type": "input", "block_id": "question", "label": plain("Question"), "element": question},
        ],
    }


def parse(view: Mapping[str, Any]) -> tuple[str, str, str] | dict[str, str]:
    """Both names and the question, or errors by block id."""
    first, second, question = selected(view, "first"), selected(view, "second"), typed(view, "question")
    if not first:
        return {"first": "Choose a model."}
    if not second or second == first:
        return {"second": "Choose another model."}
    if not question:
        return {"question": "Write a question."}
    return first, second, question


def _menu(action_id: str, chosen: str) -> Block:
    return searched(action_id, "Type to search", (chosen, chosen) if chosen else None)


def ask_for_two(command: str, first: str = "") -> Message:
    """Where no form can be opened: a button that opens it."""
    hint = small(f"At once: {command} compare NAME NAME your question")
    blocks = [rich(["Which two models?"]), actions(button("Choose…", "compare", first, primary=True)), hint]
    return Message("Which two models?", blocks)


def waiting(user: str, question: str, labels: tuple[str, str]) -> Message:
    """The question before the answers are there."""
    blocks = _head(user, question, labels)
    return Message(_text(labels), [*blocks, small("Both are thinking…")])


def compared(user: str, question: str, sides: tuple[Side, Side]) -> Message:
    """Both answers beside each other, with latency and tokens under them."""
    labels = sides[0].label, sides[1].label
    fields = [plain(cut(_shown(side), ANSWER), ANSWER) for side in sides]
    blocks: list[Block] = [
        *_head(user, question, labels),
        {"type": "section", "fields": [*(_over(side.label) for side in sides), *fields]},
        small(*(_figures(side) for side in sides)),
    ]
    return Message(_text(labels), blocks)


def _head(user: str, question: str, labels: tuple[str, str]) -> list[Block]:
    both = f"{name(labels[0], 60)} and {name(labels[1], 60)}"
    return [rich([Part(user, "user"), " compares ", bold(both)]), preformatted(question, 2_900)]


def _text(labels: tuple[str, str]) -> str:
    return esc(f"{name(labels[0], 60)} beside {name(labels[1], 60)}")


def _over(label: str) -> Block:
    """A model's name over its answer: bold, but where it holds signs that would be read as markup."""
    words = name(label, 60)
    if _MARKUP.search(words):
        return plain(words, 100)
    return {"type": "mrkdwn", "text": f"*{esc(words)}*", "verbatim": True}


def _shown(side: Side) -> str:
    return f"⚠️ {side.trouble}" if side.trouble else side.text.strip() or "(the model answered with nothing)"


def _figures(side: Side) -> str:
    if side.trouble or side.seconds is None:
        return f"{name(side.label, 60)} · no answer"
    tokens = f" · {plural(side.tokens, 'token')}" if side.tokens is not None else ""
    cut_off = " · cut here" if len(side.text) > ANSWER else ""
    return f"{name(side.label, 60)} · {side.seconds:.1f} s{tokens}{cut_off}"
