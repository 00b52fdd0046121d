"""What a surface hands to a verb (:class:`Call`) and what it gets back (:class:`Answer`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Block = dict[str, Any]
Surface = Literal["slash", "mention", "action"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Slack takes it: ``text`` is the notification line, ``blocks`` the layout (at most 50)."""

    text: str
    blocks: list[Block] = field(default_factory=list[Block])

    def arguments(self) -> dict[str, Any]:
        """Arguments for posting, also ephemerally and by ``response_url``; nothing unfurls."""
        blocks: dict[str, Any] = {"blocks": self.blocks} if self.blocks else {}
        return {"text": self.text, "unfurl_links": False, "unfurl_media": False, **blocks}

    def edit_arguments(self) -> dict[str, Any]:
        """The arguments for ``chat.update``: the text is cut at Slack's 4,000 characters for edits."""
        return {"text": self.text[:4000], "blocks": self.blocks}


@dataclass(frozen=True, slots=True)
class Call:
    """One wish of one person, the same from a slash command, a mention or a button.

    ``args`` is the text after the verb; a button passes ids as ``#12`` (dataset or job id, whichever the verb
    takes). ``thread`` is the thread it was said in, ``None`` for the channel itself. ``message_ts`` is the
    message that was clicked on or that mentions the bot. ``trigger_id`` allows to open a form for about three
    seconds. ``chosen``: a button only said which one is meant; what asks before it acts still has to ask.
    """

    verb: str
    args: str
    user: str
    channel: str
    thread: str | None
    surface: Surface
    trigger_id: str | None = None
    is_dm: bool = False
    message_ts: str | None = None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb answers: to the caller alone unless ``public``; ``replace``: in its place.

    ``settled``: a question whose button was pressed is answered, and goes.
    """

    message: Message
    public: bool = False
    replace: bool = False
    settled: bool = False
