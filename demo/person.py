"""A person in the workspace: everything over the HTTP API that the page uses, nothing else."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp

from demo.errors import NotSeen

Json = dict[str, Any]
POLL_SECONDS = 0.4


class Person:
    """Acts as one person of the workspace at ``url``."""

    def __init__(self, url: str, name: str, alive: Callable[[], None]) -> None:
        """``alive`` raises when a program died, so that no wait outlives it."""
        self._url = url
        self._alive = alive
        # A kept connection may be closed by the server just as it is used again.
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = aiohttp.ClientSession(headers={"X-Localslack-User": name}, connector=connector)

    async def close(self) -> None:
        """Ends the person's connection."""
        await self._session.close()

    async def call(self, method: str, path: str, **kwargs: Any) -> Json:
        """One request to the page's API; the answer as JSON, whatever its status."""
        async with self._session.request(method, f"{self._url}/ui/{path}", **kwargs) as answer:
            return await answer.json()

    async def _ask(self, method: str, path: str, **kwargs: Any) -> Json:
        answer = await self.call(method, path, **kwargs)
        if not answer.get("ok"):
            raise NotSeen(
                f"the workspace refused {method} {path}: {answer.get('error')} {answer.get('message', '')}"
            )
        return answer

    async def channel(self, name: str) -> str:
        """The id of a channel by its name."""
        state = await self._ask("GET", "state")
        for channel in state["channels"]:
            if channel.get("name") == name:
                return str(channel["id"])
        raise NotSeen(f"there is no channel #{name}")

    async def drop(self, channel: str, *files: Path) -> str:
        """Drops files into a channel; answers the message's ts."""
        form = aiohttp.FormData(quote_fields=False)
        for path in files:
            form.add_field("file", path.read_bytes(), filename=path.name)
        answer = await self._ask("POST", f"channels/{channel}/files", data=form)
        return str(answer["message"]["ts"])

    async def say(self, channel: str, text: str, thread: str | None = None) -> str:
        """Posts a message; answers its ts."""
        body: Json = {"text": text} | ({"thread_ts": thread} if thread else {})
        answer = await self._ask("POST", f"channels/{channel}/messages", json=body)
        return str(answer["message"]["ts"])

    async def command(self, channel: str, text: str) -> None:
        """Types a slash command."""
        await self._ask("POST", "commands", json={"channel": channel, "text": text})

    async def click(self, channel: str, message: Json, action_id: str) -> None:
        """Clicks a button of a message."""
        for block in message.get("blocks", []):
            candidates: list[Json] = [*block.get("elements", []), block.get("accessory") or {}]
            if any(element.get("action_id") == action_id for element in candidates):
                body = {
                    "channel": channel,
                    "message_ts": message["ts"],
                    "block_id": block["block_id"],
                    "action_id": action_id,
                }
                await self._ask("POST", "actions", json=body)
                return
        raise NotSeen(f"the message has no button {action_id}")

    async def messages(self, channel: str) -> list[Json]:
        """The newest root messages of a channel, oldest first."""
        return (await self._ask("GET", f"channels/{channel}/messages?limit=100"))["messages"]

    async def thread(self, channel: str, ts: str) -> list[Json]:
        """A thread, its root first."""
        return (await self._ask("GET", f"channels/{channel}/threads/{ts}"))["messages"]

    async def reactions(self, channel: str, ts: str) -> list[str]:
        """Names of the reactions on a message."""
        root = (await self.thread(channel, ts))[0]
        return [str(reaction["name"]) for reaction in root.get("reactions", [])]

    async def form(self) -> Json | None:
        """The modal on top, if one is open."""
        views = (await self._ask("GET", "views"))["views"]
        return views[-1] if views else None

    async def submit(self, view: Json, values: Json) -> Json:
        """Submits a modal; the answer says whether it closed or what is wrong."""
        return await self.call("POST", f"views/{view['id']}/submit", json={"values": values})

    async def wait(
        self, what: str, look: Callable[[], Awaitable[Any]], seconds: float, program: str = "bot"
    ) -> Any:
        """Looks again and again until ``look`` answers something.

        Raises:
            NotSeen: it did not within ``seconds``.
            ProgramDied: a program ended meanwhile.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._alive()
            if found := await look():
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise NotSeen(f"{what} was not seen within {seconds:.0f} s", program)


def words(message: Json) -> str:
    """All text of a message that a person reads, in reading order, as one line a piece."""
    pieces: list[str] = []
    _collect(message.get("blocks") or [], pieces)
    text = "\n".join(pieces) if pieces else str(message.get("text", ""))
    # An app that names itself.
    name = message.get("bot_profile", {}).get("name", "ftbot")
    return _plain(text.replace(f"<@{message.get('user')}>", f"@{name}"))


INERT = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
UNREAD = ("accessory", "confirm", "options", "value", "action_id", "elements")


def _collect(node: Any, into: list[str]) -> None:
    if isinstance(node, list):
        for item in cast(list[Any], node):
            _collect(item, into)
    elif isinstance(node, dict):
        _collect_object(cast(Json, node), into)


def _collect_object(node: Json, into: list[str]) -> None:
    kind = node.get("type")
    if kind in ("actions", "context_actions", "button"):
        return
    if kind in INERT:
        into.append("".join(str(element.get("text", "")) for element in node.get("elements", [])))
        return
    if kind == "context":
        into.append(" ".join(str(element.get("text", "")) for element in node.get("elements", [])))
        return
    for key, value in node.items():
        if key in ("text", "title") and isinstance(value, str):
            into.append(value)
        elif key == "elements" or key not in UNREAD:
            _collect(value, into)


def _plain(text: str) -> str:
    text = re.sub(r"<!date\^\d+\^[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<[^|>]*\|([^>]*)>", r"\1", text)
    for mark, meant in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(mark, meant)
    return text.replace("*", "")
