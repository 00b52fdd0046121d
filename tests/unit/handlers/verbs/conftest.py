"""Verbs as people type them, on a real store; Slack and floor 2 are played."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs import dispatch
from storage import chats, datasets, jobs
from storage.chat_records import ChannelModel, Model
from storage.records import Job
from storage.store import Store
from tests.support.house import a_house
from tests.support.samples import NOW
from tuning.chat.service import ModelEntry
from tuning.errors import NoModel, Unreachable

TRIAGE = Model("trainer", "ft:triage", "triage-7", 1)


class PlayedEngine:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.cancelled: list[tuple[int, str]] = []

    async def cancel(self, job_id: int, by: str) -> Job:
        self.cancelled.append((job_id, by))
        return await self.store.read(lambda db: jobs.get(db, job_id))


class PlayedChat:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.known = {"triage-7": TRIAGE}
        self.down = False

    async def resolve(self, channel: str, name: str | None, also: Any = ()) -> Model:
        if self.down:
            raise Unreachable("network", None, "The trainer does not answer.", "refused <!channel>")
        found = self.known.get(name or "triage-7")
        if found is None:
            raise NoModel(f"There is no model {name}.")
        return found

    async def models(self, channel: str, also: Any = (), *, archived: bool = False) -> list[ModelEntry]:
        return [ModelEntry("triage-7", "ready", "smollm2", "trainer", NOW, True, TRIAGE, 3)]

    async def use(self, channel: str, model: Model, user: str) -> ChannelModel | None:
        choice = ChannelModel(channel, model.provider, model.model, model.label, user, NOW)
        return await self.store.write(lambda db: chats.use(db, choice))

    async def begin(self, *_: Any) -> None:
        return None


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    store = Store(tmp_path / "ftbot.db")
    played = {"engine": PlayedEngine(store), "chat": PlayedChat(store)}
    yield a_house(store, tmp_path, admins=frozenset({"UADMIN"}), **played)
    await store.close()


def call(verb: str, args: str = "", **changes: Any) -> Call:
    return replace(Call(verb, args, "U1", "C1", None, "slash", trigger_id="t1"), **changes)


async def say(house: House, verb: str, args: str = "", **changes: Any) -> Answer:
    answer = await dispatch(call(verb, args, **changes), house)
    assert answer is not None
    return answer


def said(answer: Answer) -> str:
    return str(answer.message.blocks) + answer.message.text


async def keep(house: House, *records: Any) -> None:
    def write(db: Any) -> None:
        for record in records:
            jobs.add(db, record) if isinstance(record, Job) else datasets.add(db, record)

    await house.store.write(write)
