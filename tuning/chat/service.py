"""Talking to models: which one, with which system prompt, and the stream of its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from storage import chats, datasets, jobs, rooms
from storage.records import ChannelModel, ChatThread, Job, Model, Turn
from storage.store import Database, Store
from tuning.chat import naming
from tuning.chat.missing import explain
from tuning.chat.spending import month_of, refuse_beyond
from tuning.clock import Clock
from tuning.errors import ModelLoading, NoModel, ProviderError, Refused, Unreachable
from tuning.providers import Delta, Finish, Provider, Providers

LOADING_TRIES = 20
"""Tries while a new model is still being loaded: about five minutes with the usual wait."""


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer.

    ``finish_reason``: stop, length, …; ``seconds`` from the request to the last piece; ``tokens`` written.
    """

    finish_reason: str
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model is still being loaded; the answer comes when it is there. Said once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: its text, then as :class:`Done`."""

    text: str
    finish_reason: str
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of the list of models.

    ``state`` is the job's, or ``base``; ``model`` is ``None`` until it is ready; ``checkpoints`` counts the
    snapshots that can be talked to as ``NAME@N``.
    """

    name: str
    state: str
    base: str
    provider: str
    made_at: float | None = None
    in_use: bool = False
    model: Model | None = None
    checkpoints: int = 0
    shutdown_date: str | None = None


class Chat:
    """Resolves model names and streams answers."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        clock: Clock,
        *,
        loading_wait: float = 15.0,
        month_tokens: int | None = None,
    ) -> None:
        """``loading_wait``: seconds between tries while a new model is still being loaded.

        ``month_tokens``: tokens that models may write in chats in a calendar month (UTC), ``None`` for any.
        """
        self._store = store
        self._providers = providers
        self._clock = clock
        self._loading_wait = loading_wait
        self._month_tokens = month_tokens

    async def resolve(self, channel: str, name: str | None) -> Model:
        """The model for a name (``triage-7``, ``triage-7@2``, a base), or the channel's own for ``None``.

        Raises:
            NoModel: nothing has this name, or the channel has no model yet.
        """
        if name is None:
            found = await self._store.read(lambda db: naming.channel_model(db, channel))
            if found is None:
                raise NoModel("This channel has no model yet.", "Drop a .jsonl file here to train one.")
            return found
        wanted = name.strip()
        model = await self._store.read(lambda db: naming.job_model(db, wanted, channel))
        model = model or await self._base(wanted)
        if model is None:
            raise NoModel(f"There is no model {wanted}.", "See the names with the verb models.")
        return model

    async def _base(self, name: str) -> Model | None:
        for provider in map(self._providers.get, self._providers.names):
            try:
                base = (await provider.profile()).base(name)
            except ProviderError:  # a provider that is down hides its bases, not those of the others
                continue
            if base is not None:
                return Model(provider.name, base.model, base.label)
        return None

    async def begin(self, channel: str, thread: str, user: str, model: Model) -> ChatThread:
        """Begins a chat thread with the system prompt and tools that the model was trained with.

        A thread that is a chat already keeps its model and is answered as it is.
        """

        def transaction(db: Database) -> ChatThread:
            prompt, tools = _trained_with(db, model)
            own = rooms.settings_of(db, channel).system_prompt
            prompt = prompt if own is None else own or None
            return chats.begin(
                db,
                ChatThread(
                    channel,
                    thread,
                    model.provider,
                    model.model,
                    model.label,
                    user,
                    self._clock(),
                    job_id=model.job_id,
                    system_prompt=prompt,
                    tools=tools,
                ),
            )

        return await self._store.write(transaction)

    async def models(self, channel: str) -> list[ModelEntry]:
        """The channel's jobs, newest first, then the bases that can be talked to."""
        entries = await self._store.read(lambda db: _job_entries(db, channel))
        chosen = await self._store.read(lambda db: naming.channel_model(db, channel))
        for provider in map(self._providers.get, self._providers.names):
            entries += await self._base_entries(provider, chosen)
        return entries

    async def _base_entries(self, provider: Provider, chosen: Model | None) -> list[ModelEntry]:
        try:
            profile = await provider.profile()
        except ProviderError:
            return []
        return [
            ModelEntry(
                base.label,
                "base",
                base.model,
                provider.name,
                in_use=chosen is not None and (chosen.provider, chosen.model) == (provider.name, base.model),
                model=Model(provider.name, base.model, base.label),
                shutdown_date=base.shutdown_date,
            )
            for base in profile.bases
        ]

    async def use(self, channel: str, model: Model, user: str) -> ChannelModel | None:
        """Sets the model for new chats of the channel; answers the one before."""
        choice = ChannelModel(
            channel, model.provider, model.model, model.label, user, self._clock(), job_id=model.job_id
        )
        return await self._store.write(lambda db: chats.use(db, choice))

    async def stream(self, thread: ChatThread, turns: list[Turn]) -> AsyncGenerator[Delta | Waiting | Done]:
        """The answer to the last turn in pieces, then :class:`Done`.

        Raises:
            CapReached: this month's tokens are used up. ModelLoading: the model is still not there.
            ModelGone: the provider has it no longer. Unreachable, Refused: as the provider said; pieces may
            have come before.
        """
        await self._refuse_beyond()
        began = time.monotonic()
        provider = self._providers.get(thread.provider)
        messages = _messages(thread, turns)
        for attempt in range(1, LOADING_TRIES + 1):
            spoken = False
            try:
                answer = provider.gateway.stream_chat(thread.model, messages, tools=thread.tools or None)
                async with aclosing(answer):
                    async for piece in answer:
                        if isinstance(piece, Finish):
                            await self._spent(thread.provider, piece.tokens)
                            yield Done(piece.reason, time.monotonic() - began, piece.tokens)
                        else:
                            spoken = True
                            yield piece
                return
            except (Refused, Unreachable) as problem:
                meaning = await explain(self._store, provider, thread, problem, self._clock())
                if spoken or attempt == LOADING_TRIES or not isinstance(meaning, ModelLoading):
                    raise meaning from problem
            if attempt == 1:
                yield Waiting()
            await asyncio.sleep(self._loading_wait)

    async def reply(self, channel: str, model: Model, question: str, other: Model | None = None) -> Reply:
        """The whole answer of a model to one question, outside of any thread.

        A base, which was trained with no system prompt, is given that of ``other``, so that two models that
        are compared are asked the same. Raises as :meth:`stream`.
        """

        def frame(db: Database) -> ChatThread:
            prompt, tools = _trained_with(db, model)
            if prompt is None and other is not None:
                prompt, tools = _trained_with(db, other)
            now = self._clock()
            return ChatThread(
                channel, "", model.provider, model.model, model.label, "", now, model.job_id, prompt, tools
            )

        thread = await self._store.read(frame)
        asked = Turn(0, channel, "", "user", question, "", self._clock())
        text, done = "", Done("stop", 0.0)
        async with aclosing(self.stream(thread, [asked])) as parts:
            async for part in parts:
                if isinstance(part, Delta):
                    text += part.text
                elif isinstance(part, Done):
                    done = part
        return Reply(text, done.finish_reason, done.seconds, done.tokens)

    async def _refuse_beyond(self) -> None:
        if self._month_tokens is not None:
            month = month_of(self._clock())
            refuse_beyond(self._month_tokens, await self._store.read(lambda db: rooms.tokens_in(db, month)))

    async def _spent(self, provider: str, tokens: int | None) -> None:
        month = month_of(self._clock())
        await self._store.write(lambda db: rooms.spent(db, month, provider, tokens or 0))


def _trained_with(db: Database, model: Model) -> tuple[str | None, list[dict[str, Any]]]:
    if model.job_id is None:
        return None, []
    dataset = datasets.get(db, jobs.get(db, model.job_id).dataset_id)
    return dataset.system_prompt, dataset.tools


def _messages(thread: ChatThread, turns: list[Turn]) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": thread.system_prompt}] if thread.system_prompt else []
    return [*system, *({"role": turn.role, "content": turn.text} for turn in turns)]


def _job_entries(db: Database, channel: str) -> list[ModelEntry]:
    chosen = naming.channel_model(db, channel)
    newest = sorted(jobs.in_channel(db, channel, limit=100), key=lambda j: -j.id)
    return [_entry(db, job, chosen) for job in newest]


def _entry(db: Database, job: Job, chosen: Model | None) -> ModelEntry:
    return ModelEntry(
        job.name,
        job.state,
        job.base,
        job.provider,
        made_at=job.finished_at,
        in_use=chosen is not None and chosen.job_id == job.id,
        model=naming.of_job(job) if naming.answers(job) else None,
        checkpoints=len(jobs.checkpoints_of(db, job.id)),
    )
