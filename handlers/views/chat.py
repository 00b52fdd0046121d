"""A question asked by command, the pieces of an answer that are no text, and what stands under an answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from handlers.answer import Block, Message
from handlers.text import cut, esc, harmless_markdown, name, number
from handlers.views.layout import Line, Part, bold, person, plain, preformatted, rich, small
from handlers.views.prices import day
from storage.chat_records import ChatThread, Model

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

LAST_DAYS = 14
"""From this many days before the end of a model on, every answer says so."""
ENDINGS = {
    "content_filter": "stopped by the provider's filter",
    "tool_calls": "asks for a tool; I show the call and run nothing",
}
"""What is said of an answer that ended so."""
_ARGUMENTS = 2_000


@dataclass(frozen=True, slots=True)
class Foot:
    """What may stand under an answer.

    ``first``: it is the first of its thread; ``stopped_by``: the name of who stopped it; ``broken``: it did
    not come to its end. ``checkpoint``: ``(number, count)`` when the model is a snapshot and not the final
    one. ``ends``: the last day (ISO) and the days until then, when it is near. ``moved_to``: the model that
    the channel uses since, when it is news in this thread. ``bot``: our user id.
    """

    seconds: float | None = None
    finish_reason: str = "stop"
    tokens: int | None = None
    first: bool = False
    stopped_by: str = ""
    broken: bool = False
    checkpoint: tuple[int, int] | None = None
    ends: tuple[str, int] | None = None
    moved_to: str = ""
    bot: str = ""


def question(user: str, text: str, model: Model) -> Message:
    """A question asked by command, for everybody to see; the answer comes under it."""
    label = name(model.label, 60)
    blocks = [rich([Part(user, "user"), " asks ", bold(label)]), preformatted(text, 2_900)]
    return Message(f"A question for {esc(label)}: {esc(cut(text, 200))}", blocks)


def tool_call(called: str, arguments: str) -> str:
    """A call of a tool as Markdown: its name and, in a box, its arguments; nothing in it can act."""
    shown = re.sub(r"[^\w.:/-]", "_", cut(called, 80)) or "a tool"
    return f"\n\n🔧 Wants to call `{shown}` with\n```json\n{_pretty(arguments)}\n```\n"


def _pretty(arguments: str) -> str:
    """JSON in lines; the two signs that could end the box or begin a mention as JSON's own escapes."""
    try:
        text = json.dumps(json.loads(arguments or "{}"), ensure_ascii=False, indent=2)
    except ValueError:
        return harmless_markdown(cut(arguments, _ARGUMENTS).replace("`", "'"))
    return cut(text.replace("`", "\\u0060").replace("<", "\\u003c"), _ARGUMENTS)


def footer(thread: ChatThread, foot: Foot) -> list[Block]:
    """The model and the seconds it took; nothing more while all is normal."""
    label = name(thread.label, 60)
    blocks = [small(" · ".join(_facts(thread, foot)))]
    if foot.ends is not None:
        ends, days = foot.ends
        blocks.append(small(f"{label} stops answering {_in_days(days)} ({day(ends).rpartition(' ')[0]})"))
    if foot.moved_to:
        blocks.append(_moved(thread, foot.moved_to))
    if foot.first:
        how: Line = [
            "I answer messages here that name nobody else; “",
            person(foot.bot) if foot.bot else "@ftbot",
            f" stop” ends it. This thread stays with {label}.",
        ]
        blocks.append(small(how))
    return [*blocks, FEEDBACK]


def _facts(thread: ChatThread, foot: Foot) -> list[str]:
    words = [name(thread.label.partition("@")[0] if foot.checkpoint else thread.label, 60)]
    if foot.checkpoint:
        words[0] += f", checkpoint {foot.checkpoint[0]} of {foot.checkpoint[1]}, not the final model"
    if foot.seconds is not None:
        words.append(f"{foot.seconds:.1f} s")
    if foot.finish_reason == "length":
        words.append(f"cut at {number(foot.tokens)} tokens" if foot.tokens else "cut at its longest")
    elif foot.finish_reason in ENDINGS:
        words.append(ENDINGS[foot.finish_reason])
    if foot.stopped_by:
        words.append(f"stopped by {name(foot.stopped_by, 60)}")
    elif foot.broken:
        words.append("not finished")
    return words


def _in_days(days: int) -> str:
    return "today" if days <= 0 else "tomorrow" if days == 1 else f"in {days} days"


def _moved(thread: ChatThread, model: str) -> Block:
    place = "Your choice here" if thread.channel.startswith("D") else f"<#{thread.channel}>"
    label, own = (re.sub(r"[*_~`]", "", name(text, 60)) for text in (model, thread.label))
    text = f"{place} moved to {esc(label)}; this thread stays with {esc(own)}"
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
