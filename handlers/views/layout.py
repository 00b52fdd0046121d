"""Small pieces of Block Kit. Foreign text only ever enters where Slack parses nothing.

A line is a sequence of parts: ``str`` and :class:`Part` objects. Lines become ``rich_text``, whose text
elements are never parsed, so a file called ``<!channel>*.jsonl`` is shown as exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from handlers.answer import Block
from handlers.text import cut, esc, plain_date

LINE_LENGTH = 2_900
BLOCK_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line: styled text, a person, a channel, a moment or a link.

    ``value`` is the text, user id, channel id or Unix time; ``form`` the form of a moment or the address of
    a link.
    """

    value: str
    kind: Literal["text", "bold", "code", "user", "channel", "date", "link"] = "text"
    form: str = "{time}"


Line = Sequence["str | Part"]


def bold(text: str) -> Part:
    """Text in bold."""
    return Part(text, "bold")


def code(text: str) -> Part:
    """Text in a fixed width."""
    return Part(text, "code")


def person(user: str) -> Part:
    """A person, named so that they are told."""
    return Part(user, "user")


def channel(channel_id: str) -> Part:
    """A channel, shown by name to those who may see it."""
    return Part(channel_id, "channel")


def moment(at: float, form: str = "{time}") -> Part:
    """A moment in the reader's own time zone (``at``: Unix seconds)."""
    return Part(str(int(at)), "date", form)


def link(text: str, url: str) -> Part:
    """Words that lead to an address of our own making (never to a foreign one)."""
    return Part(text, "link", url)


def flat(line: Line) -> str:
    """The line as plain words, nothing escaped; people and moments as words too."""
    return "".join(_words(part) for part in line)


def _words(part: str | Part) -> str:
    if isinstance(part, str):
        return part
    if part.kind == "date":
        return plain_date(float(part.value))
    return "" if part.kind in ("user", "channel") else part.value


def _element(part: str | Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": cut(part, LINE_LENGTH)}
    match part.kind:
        case "user":
            return {"type": "user", "user_id": part.value}
        case "channel":
            return {"type": "channel", "channel_id": part.value}
        case "link":
            return {"type": "link", "url": part.form, "text": cut(part.value, LINE_LENGTH)}
        case "date":
            stamp = int(float(part.value))
            fallback = plain_date(stamp)
            return {"type": "date", "timestamp": stamp, "format": part.form, "fallback": fallback}
        case "text":
            return {"type": "text", "text": cut(part.value, LINE_LENGTH)}
        case _:
            return {"type": "text", "text": cut(part.value, LINE_LENGTH), "style": {part.kind: True}}


def ticks(text: str) -> list[str | Part]:
    """Words with `code` between backticks as parts."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return [text]
    return [code(piece) if index % 2 else piece for index, piece in enumerate(pieces) if piece]


def rich(*lines: Line) -> Block:
    """Lines of body text under each other."""
    elements: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        if index:
            elements.append({"type": "text", "text": "\n"})
        elements += [_element(part) for part in line if part != ""]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def bullets(*lines: Line) -> Block:
    """A bulleted list."""
    items = [{"type": "rich_text_section", "elements": [_element(part) for part in line]} for line in lines]
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_list", "style": "bullet", "elements": items}],
    }


def preformatted(text: str, limit: int = 2_000) -> Block:
    """Foreign text exactly as it is, in a box."""
    element = {"type": "text", "text": cut(text, limit) or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}


def small(*lines: Line | str) -> Block:
    """Small grey text, one element each (at most ten): moments as date tokens, all else unparsed."""
    return {"type": "context", "elements": [_small(line) for line in lines if line][:10]}


def _small(line: Line | str) -> dict[str, Any]:
    parts: Line = [line] if isinstance(line, str) else line
    if not any(isinstance(part, Part) and part.kind in ("date", "user") for part in parts):
        return {"type": "plain_text", "text": cut(flat(parts), LINE_LENGTH), "emoji": False}
    return {"type": "mrkdwn", "text": "".join(_token(part) for part in parts), "verbatim": True}


def _token(part: str | Part) -> str:
    if isinstance(part, Part) and part.kind == "date":
        stamp = int(float(part.value))
        return f"<!date^{stamp}^{part.form}|{plain_date(stamp)}>"
    if isinstance(part, Part) and part.kind == "user":
        return f"<@{part.value}>"
    return esc(_words(part))


def plain(text: str, limit: int = 75) -> dict[str, Any]:
    """A plain_text object; emoji names in it are not turned into pictures."""
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def button(
    text: str,
    action_id: str,
    value: str = "",
    *,
    primary: bool = False,
    danger: bool = False,
    confirm: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A button; ``value`` comes back with the click."""
    made: dict[str, Any] = {"type": "button", "text": plain(text), "action_id": action_id}
    if value:
        made["value"] = value[:2_000]
    if primary or danger:
        made["style"] = "primary" if primary else "danger"
    if confirm:
        made["confirm"] = confirm
    return made


def confirm(title: str, text: str, yes: str, no: str) -> dict[str, Any]:
    """The question asked before a button acts."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def actions(*buttons: dict[str, Any]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def option(text: str, value: str, description: str = "") -> dict[str, Any]:
    """One choice of a menu."""
    made: dict[str, Any] = {"text": plain(text), "value": cut(value, 150)}
    if description:
        made["description"] = plain(description)
    return made


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """A table of plain words; at most 99 rows and 20 columns."""
    cells = [
        [{"type": "raw_text", "text": cut(cell, 200) or "–"} for cell in row] for row in (header, *rows[:99])
    ]
    return {"type": "table", "rows": cells}
