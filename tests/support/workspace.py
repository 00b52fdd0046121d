"""The three real programs for scenario tests, on a 0.1 M random model, driven over HTTP as a person does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from demo.errors import NotSeen
from demo.person import Person, words
from demo.programs import Programs
from handlers.posting import notices_in
from tests.support.tiny_model import make_tiny_model

Json = dict[str, Any]
BASE = "tiny"
WAIT = 60.0
"""A deadline for things that must happen, generous because machines are slow."""
JOB_WAIT = 150.0


@dataclass
class Workspace:
    """A running workspace with the bot in it; ``jin`` and ``mina`` are its people."""

    programs: Programs
    jin: Person
    mina: Person
    counter: int = 0
    people: list[Person] = field(default_factory=list[Person])

    async def channel(self, *, private: bool = False, with_bot: bool = True) -> str:
        """A new channel of its own for one test; answers its id."""
        self.counter += 1
        body = {"name": f"room-{self.counter}", "is_private": private}
        answer = await self.jin.call("POST", "channels", json=body)
        channel = str(answer["channel"]["id"])
        if with_bot:
            state = await self.jin.call("GET", "state")
            user = state["app"]["bot_user_id"]
            await self.jin.call("POST", f"channels/{channel}/members", json={"user": user})
        return channel

    async def control(self, **what: Any) -> Json:
        """Asks the workspace for a fault or for the calls it saw."""
        return await self.jin.call("POST", "control", json=what)

    async def reply(self, channel: str, ts: str, contains: str, *, seconds: float = WAIT) -> Json:
        """Waits for a reply in a thread whose words hold ``contains``; answers it."""

        async def look() -> Json | None:
            thread = await self.jin.thread(channel, ts)
            return next((m for m in thread[1:] if holds(m, contains)), None)

        return await self.jin.wait(f"a reply with “{contains}”", look, seconds)

    async def root(
        self, channel: str, contains: str, *, seconds: float = WAIT, of: Person | None = None
    ) -> Json:
        """Waits for a message in the channel (ephemeral ones too) that holds ``contains``; answers it."""
        person = of or self.jin

        async def look() -> Json | None:
            found = await person.messages(channel)
            return next((m for m in reversed(found) if holds(m, contains)), None)

        return await person.wait(f"a message with “{contains}”", look, seconds)

    async def drop(self, channel: str, name: str, content: str | bytes, **fields: str) -> str:
        """Drops a file with this content and ``fields`` (``claim_size``, ``claim_host``); answers the ts."""
        form = aiohttp.FormData(quote_fields=False)
        data = content.encode() if isinstance(content, str) else content
        form.add_field("file", data, filename=name)
        for key, value in fields.items():
            form.add_field(key, value)
        answer = await self.jin.call("POST", f"channels/{channel}/files", data=form)
        assert answer["ok"], answer
        return str(answer["message"]["ts"])

    async def open_form(self, channel: str, *, person: Person | None = None) -> Json:
        """Types ``/ft start`` and waits until the form has its fields."""
        person = person or self.jin
        await person.command(channel, "/ft start")

        async def look() -> Json | None:
            view = await person.form()
            blocks = [] if view is None else view["blocks"]
            return view if any(block.get("block_id") == "dataset" for block in blocks) else None

        try:
            return await person.wait("the filled form", look, WAIT / 3)
        except NotSeen:  # a trigger is good for three seconds, which a busy machine may miss: typed again
            await person.command(channel, "/ft start")
            return await person.wait("the filled form", look, WAIT)

    async def start_job(self, channel: str, rows: int = 12, *, name: str, validation: bool = True) -> Json:
        """Drops data, starts a job by the form and answers the job's card."""
        await self.drop(channel, "train.jsonl", chat_file(rows, name))
        if validation:
            await self.drop(channel, "valid.jsonl", chat_file(12, name, offset=500))
        await self.ready(channel, 2 if validation else 1)
        view = await self.open_form(channel)
        values = choose(view, "dataset", "train.jsonl") | typed(view, "name", name)
        if validation:
            values |= choose(view, "validation", "valid.jsonl")
        answer = await self.jin.submit(view, values)
        assert answer["ok"], answer
        return await self.root(channel, f"{name}-")

    async def ready(self, channel: str, files: int) -> None:
        """Waits until this many drops of the channel were checked and found good."""

        async def look() -> bool:
            roots = [m for m in await self.jin.messages(channel) if m.get("files")]
            done = 0
            for root in roots:
                names = {str(r["name"]) for r in root.get("reactions", [])}
                done += bool(names & {"white_check_mark", "warning"})
            return done >= files

        await self.jin.wait(f"{files} checked files", look, WAIT)

    async def finished(self, channel: str, card: Json) -> Json:
        """Waits for the job's end in its thread; answers the message that tells it."""
        return await self.reply(channel, str(card["ts"]), "is ready", seconds=JOB_WAIT)

    async def kill(self) -> None:
        """Kills the bot at once."""
        bot = self.programs.running.pop("bot")
        os.kill(bot.process.pid, signal.SIGKILL)
        await bot.process.wait()

    async def stop(self) -> int:
        """Asks the bot to stop and waits for its end; its exit code."""
        bot = self.programs.running.pop("bot")
        bot.process.terminate()
        return await bot.process.wait()

    async def submitted(self, view: Json, values: Json) -> None:
        """Submits a form, again when the workspace got no answer in time: as people do."""

        async def taken() -> bool:
            answer = await self.jin.submit(view, values)
            assert not answer.get("errors"), answer
            return bool(answer["ok"]) or answer.get("error") == "view_not_found"

        await self.jin.wait("the form taken", taken, 60)

    async def posted(self, channel: str, ts: str) -> list[Json]:
        """The bot's messages in a thread with their metadata, as Slack tells them to the app itself."""
        url = f"{self.programs.running['localslack'].url}/api/conversations.replies"
        asked = {"channel": channel, "ts": ts, "limit": "200", "include_all_metadata": "true"}
        headers = {"Authorization": f"Bearer {self.programs.bot_token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.get(url, params=asked) as answer:
                    if answer.status != 429:
                        found = (await answer.json())["messages"]
                        return [m for m in found[1:] if "bot_id" in m]
                    await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def told(self, channel: str, ts: str) -> list[str]:
        """The ids of the notices that a thread got, in their order."""
        return [one for message in await self.posted(channel, ts) for one in notices_in(message)]


def holds(message: Json, contains: str) -> bool:
    """Whether the bot says this in a message, in its blocks or in its notification line."""
    return "bot_id" in message and (contains in words(message) or contains in str(message.get("text", "")))


def chat_file(rows: int, topic: str = "test", *, offset: int = 0) -> str:
    """A good chat file with this many rows; different offsets share no row."""
    lines: list[str] = []
    for number in range(offset, offset + rows):
        messages = [
            {"role": "system", "content": f"Sort {topic} letters."},
            {"role": "user", "content": f"Letter number {number}"},
            {"role": "assistant", "content": "left" if number % 2 else "right"},
        ]
        lines.append(json.dumps({"messages": messages}))
    return "\n".join(lines) + "\n"


def element(view: Json, block_id: str) -> Json:
    """The element of a form's field."""
    block = next(block for block in view["blocks"] if block.get("block_id") == block_id)
    return block.get("element") or block["accessory"]


def choose(view: Json, block_id: str, begins: str) -> Json:
    """The state of a select with the option whose text begins so."""
    chosen = element(view, block_id)
    option = next(o for o in chosen["options"] if o["text"]["text"].startswith(begins))
    return {block_id: {chosen["action_id"]: {"type": chosen["type"], "selected_option": option}}}


def typed(view: Json, block_id: str, value: str) -> Json:
    """The state of a text field."""
    chosen = element(view, block_id)
    return {block_id: {chosen["action_id"]: {"type": chosen["type"], "value": value}}}


def trainer_config(folder: Path) -> Path:
    """A trainserver.toml whose only base is the tiny model, made here."""
    make_tiny_model(folder / "tiny-model")
    config = folder / "trainserver.toml"
    config.write_text(f'default_base = "{BASE}"\n[bases.{BASE}]\npath = "{folder / "tiny-model"}"\n', "utf-8")
    return config


async def well_formed(person: Person) -> None:
    """Nothing that the bot sent may have been refused for its shape, size, arguments or scopes."""
    found = (await person.call("POST", "control", json={"malformed": True}))["malformed"]
    assert found == [], found


@asynccontextmanager
async def workspace(
    folder: Path, *, bot: bool = True, trainer: bool = True, faults: bool = False
) -> AsyncGenerator[Workspace]:
    """Starts the programs in ``folder`` and stops them at the end; ``faults``: the trainer takes orders."""
    env = {**os.environ, "FTBOT_POLL_SECONDS": "0.3"}
    programs = Programs(folder, env)
    programs.options["trainserver"] = ["--config", str(trainer_config(folder)), *["--faults"][: int(faults)]]
    try:
        slack = await programs.start_localslack()
        if trainer:
            await programs.start_trainserver()
        if bot:
            await programs.start_bot()
        people = [Person(slack.url, name, programs.check) for name in ("jin", "mina")]
        try:
            yield Workspace(programs, people[0], people[1])
            await well_formed(people[0])
        finally:
            for person in people:
                await person.close()
    finally:
        await programs.stop()
