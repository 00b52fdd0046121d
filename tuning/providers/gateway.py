"""Everything ftbot asks of a provider, over the ``openai`` SDK.

The SDK's objects and errors stop here: records of :mod:`tuning.providers.answers` and the errors of
:mod:`tuning.errors` go on. Creating is never retried here (the SDK sends no idempotency key, so a retried
create may start two paid jobs), nor is an upload; everything else is retried twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion

from tuning.errors import Refused
from tuning.providers import reading, talking
from tuning.providers.answers import (
    Completion,
    CreateJob,
    Delta,
    Finish,
    Json,
    ProviderCheckpoint,
    ProviderEvent,
    ProviderJob,
    ToolCall,
)
from tuning.providers.asking import INTENT, chat_body, create_body
from tuning.providers.pages import in_order, pages_of
from tuning.providers.trouble import never_show, provider_errors
from tuning.providers.webhooks import told_of

PAGE = 100
"""Page size asked for; answers may hold fewer."""

MOST_PAGES = 50
"""Pages read for one question at most; a job not seen by then is asked for singly."""

_NO_SUCH_ROUTE = (404, 405, 501)


class Gateway:
    """One provider, reached through the SDK. Every method raises Unreachable or Refused."""

    def __init__(
        self, base_url: str | None, api_key: str, *, timeout: float = 60.0, retries: int = 2
    ) -> None:
        """``timeout`` in seconds for one answer; uploads and chat get up to ten times that."""
        never_show(api_key)
        self._client = AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout, max_retries=retries)
        self._once = self._client.with_options(max_retries=0)
        self._patient = self._client.with_options(timeout=timeout * 10)
        self._sending = self._client.with_options(timeout=timeout * 10, max_retries=0)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def models(self) -> list[Json]:
        """All models as the provider describes them."""
        with provider_errors():
            return [reading.mapping(m) async for m in self._client.models.list()]

    def told_of(self, body: bytes, headers: Mapping[str, str], secret: str) -> str | None:
        """The id of the job that a webhook is about; ``None`` for a webhook about anything else.

        Raises:
            NotGenuine: the provider did not sign this, or not within the last five minutes.
        """
        return told_of(self._client, body, headers, secret)

    # files

    async def upload(self, path: Path, filename: str) -> str:
        """Uploads a training file under ``filename``, trying once; answers its file id."""
        stream = await asyncio.to_thread(path.open, "rb")
        try:
            with provider_errors():
                made = await self._sending.files.create(file=(filename, stream), purpose="fine-tune")
                return made.id
        finally:
            stream.close()

    async def begin_parts(self, filename: str, size: int) -> str:
        """Begins an upload of ``size`` bytes in parts; answers its id, which is good for an hour."""
        with provider_errors():
            begun = await self._once.uploads.create(
                filename=filename, bytes=size, mime_type="text/jsonl", purpose="fine-tune"
            )
            return begun.id

    async def add_part(self, upload_id: str, data: bytes) -> str:
        """Sends the next part, trying once; answers the part's id. A part that is never named is left out."""
        with provider_errors():
            return (await self._sending.uploads.parts.create(upload_id, data=data)).id

    async def complete_parts(self, upload_id: str, part_ids: Sequence[str]) -> str:
        """Has the parts put together in this order, trying once; answers the file id."""
        with provider_errors():
            done = await self._sending.uploads.complete(upload_id, part_ids=list(part_ids))
            if done.file is None:
                raise ValueError("the upload was completed without a file")
            return done.file.id

    async def cancel_parts(self, upload_id: str) -> None:
        """Has the provider forget an upload in parts that was not completed."""
        with provider_errors():
            await self._client.uploads.cancel(upload_id)

    async def find_file(self, filename: str) -> str | None:
        """The newest usable file with this name, or ``None``."""
        with provider_errors():
            listed = self._client.files.list(purpose="fine-tune")
            async with aclosing(pages_of(listed, lambda file: file)) as pages:
                async for page in pages:
                    for found in page:
                        if found.filename == filename and str(found.status) not in ("error", "deleted"):
                            return found.id
        return None

    async def has_file(self, file_id: str) -> bool:
        """Whether the provider still has this file."""
        try:
            with provider_errors():
                await self._client.files.retrieve(file_id)
        except Refused as problem:
            if problem.status != 404:
                raise
            return False
        return True

    async def delete_file(self, file_id: str) -> None:
        """Deletes a file; one that is gone already is fine."""
        try:
            with provider_errors():
                await self._client.files.delete(file_id)
        except Refused as problem:
            if problem.status != 404:
                raise

    # jobs

    async def create_job(self, wanted: CreateJob, *, hyperparameters: str = "method") -> ProviderJob:
        """Creates a job, trying once. ``hyperparameters``: the profile's shape for them."""
        body = create_body(wanted, hyperparameters)
        with provider_errors():
            return reading.job(await self._once.fine_tuning.jobs.create(**body))

    async def find_job(self, wanted: CreateJob, *, filters: bool, since: float = 0.0) -> ProviderJob | None:
        """The job that carries this intent, or ``None``; ``filters``: the provider filters by metadata.

        One that keeps no metadata is believed by name and file, for what was made after ``since`` (Unix
        seconds, with room for clocks that differ).
        """
        question: dict[str, Any] = {"metadata": {INTENT: wanted.intent}} if filters else {}
        async with aclosing(self._job_pages(**question)) as pages:
            async for page in pages:
                for found in page:
                    if found.metadata.get(INTENT) == wanted.intent or _alike(found, wanted, since):
                        return found
        return None

    async def list_jobs(self, open_ids: set[str]) -> dict[str, ProviderJob]:
        """The jobs with these ids, read from the list until all were seen; missing ones are left out."""
        seen: dict[str, ProviderJob] = {}
        async with aclosing(self._job_pages()) as pages:
            async for page in pages:
                seen |= {j.id: j for j in page if j.id in open_ids}
                if len(seen) == len(open_ids):
                    break
        return seen

    async def newest_jobs(self, limit: int = 20) -> list[ProviderJob]:
        """The newest jobs, whoever started them."""
        with provider_errors():
            page = await self._client.fine_tuning.jobs.list(limit=limit)
            return [reading.job(j) for j in page.data]

    async def _job_pages(self, **question: Any) -> AsyncGenerator[list[ProviderJob]]:
        listed, number = self._client.fine_tuning.jobs.list(limit=PAGE, **question), 0
        async with aclosing(pages_of(listed, reading.job)) as pages:
            async for page in pages:
                yield page
                number += 1
                if number == MOST_PAGES:
                    return

    async def retrieve(self, job_id: str) -> ProviderJob:
        """One job."""
        with provider_errors():
            return reading.job(await self._client.fine_tuning.jobs.retrieve(job_id))

    async def cancel(self, job_id: str) -> ProviderJob:
        """Asks to cancel a job."""
        with provider_errors():
            return reading.job(await self._client.fine_tuning.jobs.cancel(job_id))

    async def pause(self, job_id: str) -> ProviderJob:
        """Asks to pause a job; it may go on until the step it is at has ended."""
        with provider_errors():
            return reading.job(await self._client.fine_tuning.jobs.pause(job_id))

    async def resume(self, job_id: str) -> ProviderJob:
        """Asks to let a paused job go on."""
        with provider_errors():
            return reading.job(await self._client.fine_tuning.jobs.resume(job_id))

    async def delete_model(self, model: str) -> None:
        """Deletes a fine-tuned model."""
        with provider_errors():
            await self._client.models.delete(model)

    async def newest_events(self, job_id: str, known: set[str]) -> list[ProviderEvent]:
        """Events not in ``known``, oldest first: pages from the newest down to one with a known event.

        A list that begins with the oldest is read to its end. A provider without an events route has none.
        """
        fresh: dict[str, ProviderEvent] = {}
        rising = False
        listed = self._client.fine_tuning.jobs.list_events(job_id, limit=PAGE)
        try:
            async with aclosing(pages_of(listed, reading.event)) as pages:
                async for page in pages:
                    fresh |= {e.id: e for e in page if e.id not in known and e.id not in fresh}
                    rising = rising or page[0].at < page[-1].at
                    if not rising and any(e.id in known for e in page):
                        break
        except Refused as problem:
            if problem.status not in _NO_SUCH_ROUTE:
                raise
        return in_order(list(fresh.values())[:: 1 if rising else -1])

    async def checkpoints(self, job_id: str) -> list[ProviderCheckpoint]:
        """All checkpoints of a job in step order; a provider without this route has none."""
        found: list[ProviderCheckpoint] = []
        try:
            listed = self._client.fine_tuning.jobs.checkpoints.list(job_id, limit=PAGE)
            async with aclosing(pages_of(listed, reading.checkpoint)) as pages:
                async for page in pages:
                    found += page
        except Refused as problem:
            if problem.status not in _NO_SUCH_ROUTE:
                raise
        return sorted(found, key=lambda c: c.step)

    # chat

    async def stream_chat(
        self,
        model: str,
        messages: list[Json],
        *,
        tools: list[Json] | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        responses: bool = False,
    ) -> AsyncGenerator[Delta | ToolCall | Finish]:
        """The model's answer in pieces, then one :class:`Finish`.

        ``responses``: the provider's profile says that it has the Responses API.
        """
        asked = chat_body(model, messages, tools, max_tokens, temperature)
        if responses:
            answer = talking.stream_response(self._patient, talking.response_body(asked))
        else:
            answer = talking.stream_completion(self._patient, asked)
        async with aclosing(answer):
            async for piece in answer:
                yield piece

    async def complete(
        self,
        model: str,
        messages: list[Json],
        *,
        tools: list[Json] | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> Completion:
        """The model's whole answer."""
        asked = chat_body(model, messages, tools, max_tokens, temperature)
        with provider_errors():
            answer = await self._whole_answer(asked)
            choices = answer.choices
            tokens = answer.usage.completion_tokens if answer.usage else None
        if not choices:
            raise Refused("no_choice", None, "The model gave no answer.")
        choice = choices[0]
        return Completion(choice.message.content or "", choice.finish_reason or "stop", tokens)

    async def _whole_answer(self, asked: Json) -> ChatCompletion:
        return await self._patient.chat.completions.create(stream=False, **asked)


CLOCKS_DIFFER = 300.0
"""Seconds that a provider's clock may be behind ours."""


def _alike(found: ProviderJob, wanted: CreateJob, since: float) -> bool:
    """Whether a job without metadata is the one wanted: its name and its file are given to no other."""
    if found.metadata or found.created_at < since - CLOCKS_DIFFER:
        return False
    return (found.suffix, found.training_file) == (wanted.suffix, wanted.training_file)
