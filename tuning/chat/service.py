"""Talking to models: which one, with which system prompt and tools, and its answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from storage import chats, datasets, jobs, rooms
from storage.chat_records import ChannelModel, ChatThread, Model, Turn
from storage.records import OPEN_JOB_STATES
from storage.store import Database, Store
from tuning.chat import naming
from tuning.chat.entries import ModelEntry, job_entries
from tuning.chat.spending import month_of, refuse_beyond
from tuning.chat.talking import Done, Part, Waiting, talk
from tuning.clock import Clock
from tuning.errors import NoModel, ProviderError
from tuning.providers import Base, Delta, Provider, Providers, ToolCall

__all__ = ["Chat", "Delta", "Done", "ModelEntry", "Part", "Reply", "ToolCall", "Waiting"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: its text (calls of tools written out), then as :class:`Done`."""

    text: str
    finish_reason: str
    seconds: float
    tokens: int | None = None


class Chat:
    """Resolves model names and streams answers.

    ``also`` everywhere: further channels whose jobs the person who asks may see; none in a channel, theirs
    in a direct message.
    """

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

    async def resolve(self, channel: str, name: str | None, also: Collection[str] = ()) -> Model:
        """The model for a name (``triage-7``, ``triage-7@2``, a base), or the channel's own for ``None``.

        Raises:
            NoModel: nothing has this name, or the channel has no model yet.
        """
        if name is None:
            found = await self._store.read(lambda db: naming.channel_model(db, channel, also))
            if found is None:
                raise await self._store.read(lambda db: _none_yet(db, channel))
            return found
        wanted = name.strip()
        model = await self._store.read(lambda db: naming.job_model(db, wanted, {channel, *also}))
        model = model or await self._base(wanted)
        if model is None:
            raise NoModel(f"There is no model {wanted}.", "See the names with the verb models.")
        return model

    async def _base(self, name: str) -> Model | None:
        for provider in map(self._providers.get, self._providers.names):
            for base in await self._bases(provider):
                if name in (base.model, base.label):
                    return Model(provider.name, base.model, base.label)
        return None

    async def _bases(self, provider: Provider) -> list[Base]:
        """What a provider lists, without what jobs of ours made there: that belongs to their channels.

        A provider that is down hides its bases, not those of the others.
        """
        try:
            profile = await provider.profile()
        except ProviderError:
            return []
        ours = await self._store.read(lambda db: jobs.tuned_models(db, provider.name))
        return [base for base in profile.bases if base.model not in ours]

    async def begin(self, channel: str, thread: str, user: str, model: Model) -> ChatThread:
        """Begins a chat thread with the system prompt and tools that the model was trained with.

        Where the channel chose others of its own, those. A thread that is a chat already keeps its model and
        is answered as it is.
        """

        def transaction(db: Database) -> ChatThread:
            prompt, tools = _trained_with(db, model)
            own = rooms.settings_of(db, channel)
            begun = ChatThread(
                channel,
                thread,
                model.provider,
                model.model,
                model.label,
                user,
                self._clock(),
                job_id=model.job_id,
                system_prompt=prompt if own.system_prompt is None else own.system_prompt or None,
                tools=tools if own.tools is None else own.tools,
            )
            return chats.begin(db, begun)

        return await self._store.write(transaction)

    async def models(
        self, channel: str, also: Collection[str] = (), *, archived: bool = False
    ) -> list[ModelEntry]:
        """The channel's jobs, newest first, then the bases; ``archived``: the jobs put away alone."""

        def look(db: Database) -> tuple[list[ModelEntry], Model | None]:
            places = [channel, *sorted(set(also) - {channel})]
            listed = [entry for place in places for entry in job_entries(db, place, archived=archived)]
            return listed, naming.channel_model(db, channel, also)

        entries, chosen = await self._store.read(look)
        if archived:
            return entries
        for provider in map(self._providers.get, self._providers.names):
            entries += await self._base_entries(provider, chosen)
        return entries

    async def _base_entries(self, provider: Provider, chosen: Model | None) -> list[ModelEntry]:
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
            for base in await self._bases(provider)
        ]

    async def use(self, channel: str, model: Model, user: str) -> ChannelModel | None:
        """Sets the model for new chats of the channel; answers the one before."""
        choice = ChannelModel(
            channel, model.provider, model.model, model.label, user, self._clock(), job_id=model.job_id
        )
        return await self._store.write(lambda db: chats.use(db, choice))

    async def stream(self, thread: ChatThread, turns: list[Turn]) -> AsyncGenerator[Part]:
        """The answer to the last turn in pieces, then :class:`Done`.

        Raises:
            CapReached: this month's tokens are used up. ModelLoading: the model is still not there.
            ModelGone: the provider has it no longer. Unreachable, Refused: as the provider said; pieces may
            have come before.
        """
        await self._refuse_beyond()
        provider = self._providers.get(thread.provider)
        answer = talk(self._store, provider, thread, turns, self._clock, self._loading_wait)
        async with aclosing(answer):
            async for part in answer:
                if isinstance(part, Done):
                    await self._spent(thread.provider, part.tokens)
                yield part

    async def reply(self, channel: str, model: Model, question: str, other: Model | None = None) -> Reply:
        """The whole answer of a model to one question, outside of any thread.

        A base, which was trained with no system prompt, is given that of ``other``, so that two models that
        are compared are asked the same. Raises as :meth:`stream`.
        """

        def frame(db: Database) -> ChatThread:
            prompt, tools = _trained_with(db, model)
            if model.job_id is None and other is not None:
                prompt, tools = _trained_with(db, other)
            now = self._clock()
            return ChatThread(
                channel, "", model.provider, model.model, model.label, "", now, model.job_id, prompt, tools
            )

        thread = await self._store.read(frame)
        asked = Turn(0, channel, "", "user", question, "", self._clock())
        pieces: list[str] = []
        done = Done("stop", 0.0)
        async with aclosing(self.stream(thread, [asked])) as parts:
            async for part in parts:
                if isinstance(part, Delta):
                    pieces.append(part.text)
                elif isinstance(part, ToolCall):
                    pieces.append(f"\n{part.name}({part.arguments})")
                elif isinstance(part, Done):
                    done = part
        return Reply("".join(pieces).strip("\n"), done.finish_reason, done.seconds, done.tokens)

    async def _refuse_beyond(self) -> None:
        if self._month_tokens is not None:
            month = month_of(self._clock())
            refuse_beyond(self._month_tokens, await self._store.read(lambda db: rooms.tokens_in(db, month)))

    async def _spent(self, provider: str, tokens: int | None) -> None:
        month = month_of(self._clock())
        await self._store.write(lambda db: rooms.spent(db, month, provider, tokens or 0))


def _none_yet(db: Database, channel: str) -> NoModel:
    """What to do in a channel without a model: wait for the one being made, or make one."""
    newest = next(iter(jobs.in_channel(db, channel, limit=1)), None)
    todo = "Drop a .jsonl file here to train one; the verb help tells the rest."
    if newest is not None and newest.state in OPEN_JOB_STATES:
        todo = f"Wait for {newest.name}: its thread says when it is ready."
    return NoModel("This channel has no model yet.", todo)


def _trained_with(db: Database, model: Model) -> tuple[str | None, list[dict[str, Any]]]:
    if model.job_id is None:
        return None, []
    dataset = datasets.get(db, jobs.get(db, model.job_id).dataset_id)
    return dataset.system_prompt, dataset.tools
