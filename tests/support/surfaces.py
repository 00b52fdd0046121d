"""The surfaces of the bot on a real workspace and a real store; floor 2 is played by small stand-ins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from handlers.house import House
from handlers.register import register
from handlers.worker import Worker
from localslack.app import Options, running
from localslack.world import World
from storage import chats, datasets, inbox
from storage.chat_records import ChatThread, Model, Turn
from storage.records import Dataset, InboxItem, Overlap
from storage.store import Store
from tests.support.house import house_in
from tests.support.waiting import until
from tuning.chat.service import Done
from tuning.errors import NoModel, TuningError
from tuning.providers import Delta

ROOT = Path(__file__).resolve().parents[2]
MODEL = Model(provider="trainer", model="ft:triage", label="triage-7")


@dataclass
class PlayedChat:
    """Answers with the pieces it is given; an exception among them is raised in its place."""

    store: Store
    model: Model | None = None
    pieces: list[Any] = field(default_factory=lambda: ["billing", " | high"])
    asked: list[list[Turn]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    """Waited for after the first piece."""

    async def resolve(self, channel: str, name: str | None, also: Any = ()) -> Model:
        if self.model is None:
            raise NoModel("This channel has no model yet.", "Drop a .jsonl file to make one.")
        return self.model

    async def begin(self, channel: str, thread: str, user: str, model: Model) -> ChatThread:
        begun = ChatThread(channel, thread, model.provider, model.model, model.label, user, 1.0)
        return await self.store.write(lambda db: chats.begin(db, begun))

    async def stream(self, thread: ChatThread, turns: list[Turn]):
        self.asked.append(turns)
        piece: Any = None
        for at, piece in enumerate(self.pieces):
            if isinstance(piece, Exception):
                raise piece
            yield Delta(piece) if isinstance(piece, str) else piece
            if at == 0 and self.hold is not None:
                await self.hold.wait()
        if not isinstance(piece, Done):
            yield Done("stop", 1.2, 7)


@dataclass
class PlayedIntake:
    """Takes every file for good and remembers its bytes."""

    store: Store
    checked: dict[int, bytes] = field(default_factory=dict)
    made: list[int] = field(default_factory=list)
    tables: dict[int, bytes] = field(default_factory=dict)
    overlapping: int = 0

    def tidy(self) -> None:
        """Nothing is left lying about."""

    async def examined(self, dataset_id: int, seconds: float) -> None:
        """Everything is looked at already."""

    async def overlap(self, training: Dataset, validation: Dataset) -> Overlap:
        return Overlap("a", "b", self.overlapping, 0, list(range(1, self.overlapping + 1)))

    async def make(self, dataset_id: int) -> Dataset:
        self.made.append(dataset_id)

        def keep(db):
            datasets.change(db, dataset_id, state="ready", sha256=f"made-{dataset_id}", path="kept")
            return datasets.get(db, dataset_id)

        return await self.store.write(keep)

    async def table(self, dataset_id: int) -> bytes:
        return self.tables[dataset_id]

    async def check(self, dataset_id: int, path: Path) -> Dataset:
        self.checked[dataset_id] = path.read_bytes()

        def keep(db):
            datasets.change(db, dataset_id, state="ready")
            return datasets.get(db, dataset_id)

        return await self.store.write(keep)


@dataclass
class PlayedEngine:
    """Remembers what was started; raises ``refuse`` instead when it is set."""

    started: list[Any] = field(default_factory=list)
    refuse: Exception | None = None

    async def look_over(self, request: Any) -> None:
        """Nothing speaks against it."""

    async def start(self, request: Any) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.started.append(request)


class NoProviders:
    """Providers that nobody configured."""

    names: tuple[str, ...] = ()

    def get(self, name: str) -> Any:
        raise TuningError(f"There is no provider {name}.")


class Person:
    """Somebody at the page of the workspace."""

    def __init__(self, session: aiohttp.ClientSession, base: str, name: str) -> None:
        self._session, self._base, self.name = session, base, name

    async def ask(self, verb: str, path: str, body: Any = None) -> dict[str, Any]:
        more: dict[str, Any] = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        async with self._session.request(
            verb, f"{self._base}/ui{path}", headers={"X-Localslack-User": self.name}, **more
        ) as got:
            return await got.json()

    async def say(self, channel: str, text: str, thread: str | None = None) -> str:
        body = {"text": text, "thread_ts": thread}
        return (await self.ask("POST", f"/channels/{channel}/messages", body))["message"]["ts"]

    async def drop(self, channel: str, name: str, content: bytes, **fields: str) -> str:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        for key, value in fields.items():
            form.add_field(key, value)
        return (await self.ask("POST", f"/channels/{channel}/files", form))["message"]["ts"]

    async def command(self, channel: str, text: str) -> dict[str, Any]:
        return await self.ask("POST", "/commands", {"channel": channel, "text": text})

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        return (await self.ask("GET", f"/channels/{channel}/messages"))["messages"]

    async def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        return (await self.ask("GET", f"/channels/{channel}/threads/{ts}"))["messages"]


@dataclass
class Surfaces:
    """Everything a test of a surface reaches."""

    world: World
    house: House
    worker: Worker
    chat: PlayedChat
    intake: PlayedIntake
    engine: PlayedEngine
    jin: Person
    mina: Person

    @property
    def store(self) -> Store:
        return self.house.store

    def channel(self, name: str) -> str:
        return next(c.id for c in self.world.store.channels() if c.name == name)

    def user(self, name: str) -> str:
        return next(u.id for u in self.world.users if u.name == name)

    async def dm(self) -> str:
        return (await self.jin.ask("POST", "/dm", {"user": self.house.bot_user_id}))["channel"]["id"]

    async def calls(self, method: str) -> list[dict[str, Any]]:
        found = (await self.jin.ask("POST", "/control", {"calls": True}))["calls"]
        return [call for call in found if call["method"] == method]

    async def control(self, **orders: Any) -> None:
        answer = await self.jin.ask("POST", "/control", orders)
        assert answer["ok"], answer

    async def settled(self) -> None:
        """Waits until nothing is left in the inbox."""

        async def empty() -> bool:
            return not await self.store.read(inbox.waiting)

        await until(empty)

    async def items(self) -> list[InboxItem]:
        found = await self.store.read(lambda db: [inbox.get(db, i) for i in range(1, 50)])
        return [item for item in found if item is not None]


@asynccontextmanager
async def surfaces(
    folder: Path, real: Callable[[Store], dict[str, Any]] = lambda store: {}
) -> AsyncGenerator[Surfaces]:
    """A workspace with the bot's surfaces in it; ``real`` makes parts of floor 2 that are not played."""
    options = Options(data=folder / "slack", manifest=ROOT / "manifest.yml")
    async with running(options) as world, aiohttp.ClientSession() as session:
        store = Store(folder / "ftbot.db")
        chat, intake, engine = PlayedChat(store), PlayedIntake(store), PlayedEngine()
        played = {"engine": engine, "intake": intake, "chat": chat, "providers": NoProviders()}
        clock = asyncio.get_running_loop().time
        parts = {**played, "clock": clock, **real(store)}
        house = house_in(world, session, store, folder, **parts)
        async with _serving(world, house) as worker:
            people = [Person(session, world.base_url, name) for name in ("jin", "mina")]
            yield Surfaces(world, house, worker, chat, intake, engine, *people)
        await store.close()
        assert world.malformed.list() == []


@asynccontextmanager
async def _serving(world: World, house: House) -> AsyncGenerator[Worker]:
    app = AsyncApp(client=house.client)
    worker = register(app, house)
    handler = AsyncSocketModeHandler(app, world.me.app_token, web_client=house.client)
    await handler.connect_async()
    await until(lambda: bool(world.delivery.wires))
    running_worker = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await handler.close_async()
        await worker.close()
        await running_worker
