"""What stands under an answer."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.text import cut, esc, name
from handlers.views.layout import Part, bold, plain, preformatted, rich, small
from storage.records import ChatThread, Model

FEEDBACK: Block = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": plain("👍"), "value": "good", "accessibility_label": "Good answer"},
            "negative_button": {"text": plain("👎"), "value": "bad", "accessibility_label": "Bad answer"},
        }
    ],
}
"""Two buttons under an answer; a click comes back as action ``feedback``, value ``good`` or ``bad``."""


def question(user: str, text: str, model: Model) -> Message:
    """A question asked by command, for everybody to see; the answer comes under it."""
    label = name(model.label, 60)
    blocks = [rich([Part(user, "user"), " asks ", bold(label)]), preformatted(text, 2_900)]
    return Message(f"A question for {esc(label)}: {esc(cut(text, 200))}", blocks)


def footer(
    thread: ChatThread,
    *,
    seconds: float | None = None,
    finish_reason: str = "stop",
    tokens: int | None = None,
    first: bool = False,
    note: str = "",
) -> list[Block]:
    """The model and the seconds it took; nothing more while all is normal.

    ``first``: the first answer of a thread also says how the thread works. ``note`` says what is not normal
    (``stopped by Mina``).
    """
    words = [name(thread.label, 60)]
    if seconds is not None:
        words.append(f"{seconds:.1f} s")
    if finish_reason == "length":
        words.append(f"cut at {tokens} tokens" if tokens else "cut at its longest")
    elif finish_reason == "content_filter":
        words.append("stopped by the provider's filter")
    if note:
        words.append(name(note, 120))
    blocks = [small(" · ".join(words))]
    if first:
        label = name(thread.label, 60)
        blocks.append(
            small(
                "I answer messages here that name nobody else; mention me with the word stop to end it. "
                f"This thread stays with {label}."
            )
        )
    return [*blocks, FEEDBACK]
