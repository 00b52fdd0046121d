"""Sends contents to providers, each once: a cut-off upload is looked for by its name before another try.

A large content goes up in parts where the provider takes them (OpenAI, Uploads API: at most 64 MB a part, an
hour for all). Each part that was taken is on record, so an upload that was cut off goes on behind it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from storage import datasets, jobs, outbox
from storage.records import Upload
from storage.store import Database
from tuning.errors import NotKept, ProviderError, Refused, TuningError, Unreachable
from tuning.jobs.parts import Parts
from tuning.jobs.shelf import unpacked_aside
from tuning.providers import Gateway, Provider

PART_BYTES = 16 << 20
"""What is lost at most when a line breaks, and held in memory while a part is sent."""

AT_ONCE = 4
"""Files that go up at the same time: each is unpacked on the disk for as long."""

_OF_THE_MOMENT = frozenset({401, 403, 429})
"""Refusals that say nothing about the upload itself: what was taken of it stays taken."""


def is_due(parts: Parts, upload: Upload) -> bool:
    """Whether an upload may be tried now; ``sending``: a try was begun, perhaps in an earlier life."""
    if upload.state == "due":
        return True
    return upload.state == "sending" and parts.clock() >= upload.updated_at + _wait(parts, upload.attempts)


def _wait(parts: Parts, attempts: int) -> float:
    return min(parts.poll_min * 2 ** min(attempts, 16), parts.poll_max)


async def send(parts: Parts, sha256: str, provider: str) -> None:
    """Tries one upload, if it is still due, and records what came of it."""
    upload = await parts.store.read(lambda db: datasets.upload_of(db, sha256, provider))
    if upload is None or not is_due(parts, upload):
        return
    try:
        found = parts.providers.get(upload.provider)
        file_id = await found.gateway.find_file(upload.filename) if upload.attempts else None
        if file_id is None:
            async with unpacked_aside(await _content(parts, upload)) as path:
                await _record(parts, upload, state="sending", attempts=upload.attempts + 1, error=None)
                file_id = await _send(parts, found, upload, path)
    except Unreachable as problem:
        words, rest = str(problem), max(0.0, (problem.retry_after or 0.0) - _wait(parts, upload.attempts + 1))
        await _record(parts, upload, rest=rest, state="sending", attempts=upload.attempts + 1, error=words)
    except Refused as problem:
        await _refused(parts, upload, problem)
    except (TuningError, OSError) as problem:
        words = str(problem)
        if isinstance(problem, OSError):  # whose own words name a path
            words = f"The file cannot be read here: {problem.strerror or type(problem).__name__}."
        await _record(parts, upload, state="failed", error=words, session=None, part_ids=[])
    else:
        await _record(parts, upload, state="sent", file_id=file_id, error=None, session=None, part_ids=[])
        await _take_back(parts, upload, file_id)
    parts.wake()


async def _send(parts: Parts, provider: Provider, upload: Upload, path: Path) -> str:
    """Sends what the provider does not have yet; answers the file id."""
    gateway = provider.gateway
    if path.stat().st_size <= PART_BYTES or not (await provider.profile()).takes_parts:
        return await gateway.upload(path, upload.filename)
    session, taken = upload.session, upload.part_ids
    if session is None:
        session = await gateway.begin_parts(upload.filename, path.stat().st_size)
        taken = list[str]()
        await _record(parts, upload, session=session, part_ids=taken)
    try:
        return await _fill(parts, gateway, upload, path, session, taken)
    except NotKept:
        with suppress(ProviderError):  # it runs out by itself in an hour
            await gateway.cancel_parts(session)
        raise


async def _fill(
    parts: Parts, gateway: Gateway, upload: Upload, path: Path, session: str, taken: list[str]
) -> str:
    with await asyncio.to_thread(path.open, "rb") as source:
        source.seek(len(taken) * PART_BYTES)
        while data := await asyncio.to_thread(source.read, PART_BYTES):
            await _refuse_deleted(parts, upload)
            taken = [*taken, await gateway.add_part(session, data)]
            await _record(parts, upload, part_ids=taken)
    await _refuse_deleted(parts, upload)
    return await gateway.complete_parts(session, taken)


async def _refused(parts: Parts, upload: Upload, problem: Refused) -> None:
    """A refusal is final, but for that of an earlier session: it ran out, or it was completed unheard.

    Then the file is looked for once more before all of it goes up anew.
    """
    words = f"{problem} {problem.provider_words}".strip()
    if problem.status in _OF_THE_MOMENT:
        await _record(parts, upload, state="failed", error=words)
        return
    again = upload.session is not None
    state, attempts = ("sending", upload.attempts + 1) if again else ("failed", upload.attempts)
    await _record(parts, upload, state=state, attempts=attempts, error=words, session=None, part_ids=[])


async def _take_back(parts: Parts, upload: Upload, file_id: str) -> None:
    """Deletes a file at the provider again whose data was deleted here while it went up."""
    try:
        await _refuse_deleted(parts, upload)
    except NotKept:
        with suppress(ProviderError):
            await parts.providers.get(upload.provider).gateway.delete_file(file_id)
            await parts.store.write(lambda db: datasets.forget_upload(db, upload.sha256, upload.provider))


async def _refuse_deleted(parts: Parts, upload: Upload) -> None:
    """Raises NotKept for what somebody deleted meanwhile; they cannot while an open job needs it."""
    found = await parts.store.read(lambda db: datasets.with_content(db, upload.sha256))
    if all(dataset.path is None for dataset in found):
        raise NotKept


async def _content(parts: Parts, upload: Upload) -> Path:
    found = await parts.store.read(lambda db: datasets.with_content(db, upload.sha256))
    for dataset in found:
        if dataset.path is not None and Path(dataset.path).is_file():
            return Path(dataset.path)
    raise NotKept


async def _record(parts: Parts, upload: Upload, *, rest: float = 0.0, **changes: object) -> None:
    """Keeps what came of a try; ``rest``: seconds that the provider wants beyond the usual wait."""

    def transaction(db: Database) -> None:
        now = datasets.upload_of(db, upload.sha256, upload.provider)
        if now is None or now.state == "sent":  # by a life that went on beside this one
            return
        datasets.change_upload(db, upload.sha256, upload.provider, updated_at=parts.clock() + rest, **changes)
        for dataset in datasets.with_content(db, upload.sha256):
            outbox.touch(db, f"drop:{dataset.id}")
            for job in jobs.of_dataset(db, dataset.id):
                if job.state == "sending":
                    jobs.touch_card(db, job.id)

    await parts.store.write(transaction)
