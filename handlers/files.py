"""Surface: a dropped file, from the message to the finished check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from handlers.download import Limits, TryAgain, check_size, download
from handlers.errors import DownloadFailed
from handlers.house import House
from handlers.incoming import Incoming, drop_id, parts_of, takes
from handlers.posting import UNKNOWN
from handlers.reply import passing
from handlers.slackapi import code_of, part_in
from storage import datasets, inbox, outbox
from storage.records import Dataset, InboxItem
from storage.store import Database
from tuning.errors import TuningError, Unreachable
from tuning.jobs.notices import drop_card

log = structlog.get_logger(__name__)

AT_ONCE = 3
"""Files fetched and checked at the same time."""
TRIES = 3
GONE = frozenset({"file_not_found", "file_deleted", "not_visible", "access_denied", "no_permission"})
TOKEN_TROUBLE = frozenset(
    {"missing_scope", "invalid_auth", "not_authed", "token_revoked", "account_inactive"}
)


class Drops:
    """Takes drops: one record and one card each at once, the fetching and checking behind it."""

    def __init__(
        self, house: House, background: Callable[[Coroutine[Any, Any, None]], None], *, pause: float = 2.0
    ) -> None:
        """``background`` runs work beside the inbox; ``pause``: seconds before a fetch is tried again."""
        self._house = house
        self._background = background
        self._pause = pause
        self._room = asyncio.Semaphore(AT_ONCE)

    async def resume(self) -> None:
        """Takes up the drops whose check was cut off; what lies half fetched in the spool is fetched anew."""
        self._house.intake.tidy()
        for part in self._house.spool.glob("drop-*.part"):
            part.unlink(missing_ok=True)
        for dataset in await self._house.store.read(datasets.unchecked):
            self._background(self.take(dataset))

    async def on_drop(self, house: House, item: InboxItem, said: Incoming) -> None:
        """Keeps the files of one message, each with its card, and marks the message seen."""
        named = [(one["id"], one["name"] or await self._name(one["id"])) for one in said.files]
        files = [
            (file_id, name) for file_id, name in named if takes(name, asked=said.mentioned or said.is_dm)
        ]
        now = house.clock()

        def keep(db: Database) -> list[Dataset]:
            kept = [_add(db, said, file_id, name, now) for file_id, name in files]
            inbox.done(db, item.id)
            return [dataset for dataset in kept if dataset is not None]

        if kept := await house.store.write(keep):
            self._background(self._begin(said, kept))

    async def _begin(self, said: Incoming, kept: list[Dataset]) -> None:
        """👀 first, which the verdict takes off again; then the files."""
        await self._look(said)
        self.begin(kept)

    def begin(self, made: Sequence[Dataset]) -> None:
        """Fetches, or makes, and checks files behind the present work."""
        for dataset in made:
            self._background(self.take(dataset))

    async def take(self, dataset: Dataset) -> None:
        """Fetches (or makes) and checks one file; what goes wrong stands on its card."""
        async with self._room:
            path: Path | None = None
            try:
                if dataset.origin_id is not None or dataset.state != "checking":
                    await self._house.intake.make(dataset.id)
                    return
                path = await self._fetch(dataset)
                await self._house.intake.check(dataset.id, path)
            except (DownloadFailed, TuningError) as problem:
                log.info("drop_failed", dataset=dataset.id, problem=type(problem).__name__)
                await self._fail(dataset, problem)
            except Exception:
                await self._fail(
                    dataset, DownloadFailed("Something went wrong inside ftbot while reading it.")
                )
                raise
            finally:
                if path is not None:
                    path.unlink(missing_ok=True)

    async def _fetch(self, dataset: Dataset) -> Path:
        for attempt in range(TRIES):
            try:
                return await self._fetch_once(dataset)
            except (TryAgain, Unreachable) as problem:
                if attempt == TRIES - 1:
                    raise
                rest = problem.after if isinstance(problem, TryAgain) else 0.0
                await asyncio.sleep(max(rest, self._pause * (attempt + 1)))
        raise AssertionError("unreachable")

    async def _fetch_once(self, dataset: Dataset) -> Path:
        house = self._house
        file = await self._info(parts_of(dataset.drop_id)[2])
        size = file.get("size")
        size = int(size) if isinstance(size, int) else None
        check_size(size, house.max_file_bytes)
        url = file.get("url_private_download") or file.get("url_private")
        if not url or file.get("is_external") or file.get("mode") == "external":
            raise DownloadFailed(
                "This is a link to a file elsewhere; Slack holds no bytes of it.",
                "Upload the file itself into this channel.",
            )
        limits = Limits(house.file_hosts, house.max_file_bytes)
        return await download(str(url), house.spool, token=house.bot_token, limits=limits, size=size)

    async def _name(self, file_id: str) -> str:
        """The name of a file that came as a stub; empty when it cannot be known."""
        try:
            return str((await self._info(file_id)).get("name") or "")
        except DownloadFailed as problem:
            if isinstance(problem, TryAgain):
                raise
            return ""

    async def _info(self, file_id: str) -> dict[str, Any]:
        try:
            answer = await self._house.client.files_info(file=file_id)
        except SlackApiError as problem:
            raise _in_words(problem) from problem
        file = part_in(answer, "file")
        if file.get("mode") in ("tombstone", "hidden_by_limit"):
            raise DownloadFailed(
                "The file is no longer there: it was deleted or fell under Slack's storage limit."
            )
        return file

    async def _look(self, said: Incoming) -> None:
        """👀 on the drop; the card says the same, so a missing reaction is no failure."""
        try:
            await self._house.client.reactions_add(channel=said.channel, timestamp=said.ts or "", name="eyes")
        except SlackApiError as problem:
            if code_of(problem) != "already_reacted":
                log.info("no_reaction", error=code_of(problem))
        except UNKNOWN as problem:
            log.info("no_reaction", error=type(problem).__name__)

    async def _fail(self, dataset: Dataset, problem: DownloadFailed | TuningError) -> None:
        words = " ".join(part for part in (str(problem), problem.todo) if part)

        def keep(db: Database) -> None:
            datasets.change(db, dataset.id, state="failed", error=words)
            outbox.touch(db, f"drop:{dataset.id}")

        await self._house.store.write(keep)


def _add(db: Database, said: Incoming, file_id: str, name: str, now: float) -> Dataset | None:
    """The record of one file with its card; ``None`` when it is known already."""
    thread = said.root
    dataset = Dataset(
        id=0,
        name=name,
        version=1,
        channel=said.channel,
        thread=thread,
        user=said.user,
        drop_id=drop_id(said.channel, said.ts or "", file_id),
        state="checking",
        created_at=now,
    )
    kept = datasets.add(db, dataset)
    if kept is None:
        return None
    drop_card(db, kept, now)
    return kept


def _in_words(problem: SlackApiError) -> DownloadFailed:
    code = code_of(problem)
    if code in TOKEN_TROUBLE:
        return DownloadFailed(
            f"Slack does not let me read files here ({code}).",
            "Give the app the scope files:read and install it again in this workspace.",
        )
    if code in GONE:
        return DownloadFailed(
            "The file is not there for me: it was deleted, or it is not shared with this channel."
        )
    if passing(problem):
        return TryAgain("Slack did not say where the file is.")
    return DownloadFailed(f"Slack does not hand the file out ({code}).")
