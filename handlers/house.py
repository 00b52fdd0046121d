"""Everything a handler may reach, built once by ``bot`` and passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from slack_sdk.web.async_client import AsyncWebClient

from handlers.talks import Talks
from handlers.visible import Rooms
from storage.store import Store

if TYPE_CHECKING:
    from tuning.chat.service import Chat
    from tuning.clock import Clock
    from tuning.jobs.engine import Engine
    from tuning.jobs.intake import Intake
    from tuning.providers import Providers


@dataclass(frozen=True)
class House:
    """The parts of one running ftbot.

    ``command`` is the slash command (``/ft``); ``spool`` the folder for files being fetched; ``file_hosts``
    the hosts a drop may be fetched from with the bot token; ``max_file_bytes`` the largest drop;
    ``admins`` the
    user ids that may cancel what others started; ``guests``: whether guests of this workspace may use ftbot.
    """

    store: Store
    engine: Engine
    intake: Intake
    chat: Chat
    providers: Providers
    client: AsyncWebClient
    clock: Clock
    command: str
    bot_user_id: str
    team_id: str
    spool: Path
    file_hosts: frozenset[str]
    max_file_bytes: int
    bot_token: str = field(repr=False)
    admins: frozenset[str] = frozenset()
    guests: bool = False
    talks: Talks = field(default_factory=Talks)
    rooms: Rooms = field(default_factory=Rooms)
