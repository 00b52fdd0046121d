"""What the workspace is made of. Plain frozen records; times are Slack timestamps or Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

JSON = dict[str, Any]
STREAM_LIFETIME_S = 300.0
ChannelKind = Literal["channel", "group", "im", "mpim"]
FileMode = Literal["hosted", "snippet", "external", "hidden_by_limit"]


def is_object(value: Any) -> TypeGuard[JSON]:
    """True for a JSON object."""
    return isinstance(value, dict)


@dataclass(frozen=True)
class User:
    """A person or the app's bot. ``bot_id`` is set for the bot only.

    ``team`` is the id of the person's workspace when it is not this one (Slack Connect), ``is_restricted``
    marks a guest.
    """

    id: str
    name: str
    real_name: str
    is_owner: bool = False
    bot_id: str | None = None
    is_restricted: bool = False
    team: str | None = None

    @property
    def is_bot(self) -> bool:
        return self.bot_id is not None


@dataclass(frozen=True)
class Channel:
    """A public channel, a private one (``group``), a direct message (``im``) or one of several (``mpim``).

    ``is_ext_shared``: people of another workspace are in it (Slack Connect).
    """

    id: str
    name: str
    kind: ChannelKind
    creator: str
    created: int
    is_archived: bool = False
    is_ext_shared: bool = False

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"


@dataclass(frozen=True)
class Stream:
    """The state of a message that is being streamed.

    ``started`` is Unix seconds, ``size`` UTF-8 bytes so far, ``lifetime`` seconds until the server closes it.
    ``stopped_by`` is the person who pressed Stop. ``plan`` gathers the tasks into one plan block.
    """

    started: float
    size: int
    markdown: str
    blocks: list[JSON] = field(default_factory=list[JSON])
    stopped: bool = False
    stopped_by: str | None = None
    lifetime: float = STREAM_LIFETIME_S
    plan: bool = False
    title: str = ""


@dataclass(frozen=True)
class Message:
    """One message. ``text`` is in Slack's markup (escaped); ``files`` are file ids.

    ``ephemeral_to`` names the only person who sees it; ``stream`` is set for messages that were streamed.
    """

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    from_app: bool = False
    subtype: str | None = None
    blocks: list[JSON] | None = None
    attachments: list[JSON] | None = None
    files: list[str] = field(default_factory=list[str])
    metadata: JSON | None = None
    edited: JSON | None = None
    ephemeral_to: str | None = None
    broadcast: bool = False
    stream: Stream | None = None
    client_msg_id: str | None = None
    username: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def is_streaming(self, now: float) -> bool:
        """Started, not stopped, and not yet closed by the server."""
        stream = self.stream
        return stream is not None and not stream.stopped and now - stream.started <= stream.lifetime


@dataclass(frozen=True)
class Share:
    """A place where a file was shown."""

    channel: str
    ts: str
    thread_ts: str | None = None


@dataclass(frozen=True)
class File:
    """An uploaded file. ``ready_at`` (Unix seconds) ends its processing; before, it shows no mimetype.

    ``size`` may be claimed to differ from the stored bytes, ``host`` may name a foreign download host.
    ``stub``: events carry only its id, as for files from another workspace; files.info has the rest.
    ``granted``: given to the app in a form, so it may read it without a share.
    """

    id: str
    user: str
    name: str
    title: str
    size: int
    mimetype: str
    filetype: str
    created: int
    ready_at: float
    complete: bool = True
    host: str | None = None
    alt_txt: str | None = None
    shares: list[Share] = field(default_factory=list[Share])
    deleted: bool = False
    mode: FileMode = "hosted"
    stub: bool = False
    granted: bool = False

    @property
    def is_image(self) -> bool:
        return self.mimetype.startswith("image/")


@dataclass(frozen=True)
class View:
    """A modal or a Home tab as one person sees it.

    ``body`` is the view payload with every block id filled in.
    """

    id: str
    user: str
    body: JSON
    hash: str
    root_id: str
    previous_id: str | None = None
    state: JSON = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Identity:
    """The fixed ids and tokens of the workspace and of the installed app."""

    team_id: str
    team_name: str
    team_domain: str
    app_id: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
