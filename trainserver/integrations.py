"""Starts a follower for each job that is to be logged elsewhere, and again when one died."""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import DEVNULL, Process

from trainserver.database import Database
from trainserver.layout import Layout
from trainserver.serving import arguments, environment
from trainserver.wandb_follow import DONE

log = logging.getLogger("trainserver")
LOOK_SECONDS = 5.0
REST_SECONDS = 60.0
END_SECONDS = 5.0


def _wanted(database: Database, layout: Layout) -> list[str]:
    """Jobs that have begun, ask for logging, and are not logged to their end."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT id FROM jobs WHERE integrations IS NOT NULL AND started_at IS NOT NULL ORDER BY seq"
        )
        return [row["id"] for row in rows if not (layout.job(row["id"]) / DONE).exists()]


async def _follow(layout: Layout, job_id: str) -> Process:
    with (layout.job(job_id) / "wandb.log").open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *arguments("trainserver.wandb_follow", layout.root, None),
            job_id,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            env=environment() | {"WANDB_DIR": str(layout.job(job_id))},
        )


async def _keep(layout: Layout, job_id: str) -> None:
    """Follow the job until it is logged to its end."""
    while not (layout.job(job_id) / DONE).exists():
        process = await _follow(layout, job_id)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if code:
            log.warning("logging of job %s ended with code %s; see its wandb.log", job_id, code)
            await asyncio.sleep(REST_SECONDS)


async def _end(process: Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def run(database: Database, layout: Layout, key: str | None) -> None:
    """Keep the followers going until cancelled; without a key there are none."""
    keeping: dict[str, asyncio.Task[None]] = {}
    try:
        while key is not None:
            for job_id in await asyncio.to_thread(_wanted, database, layout):
                if job_id not in keeping:
                    keeping[job_id] = asyncio.create_task(_keep(layout, job_id))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        for task in keeping.values():
            task.cancel()
        if keeping:
            await asyncio.wait(keeping.values())
