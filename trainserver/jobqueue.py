"""Takes jobs from created to running.

It validates files, starts training processes, as many at once as settings and memory allow, and notices
their ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trainserver import gpus, jobs, launching, memory
from trainserver.config import Config
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.launching import CANNOT_WRITE
from trainserver.layout import Layout
from trainserver.rows import MIN_EXAMPLES, read_rows
from trainserver.serving import environment
from trainserver.troubles import cannot_write

log = logging.getLogger("trainserver")
NICENESS = 10
END_SECONDS = 10
LOOK_SECONDS = 5.0
# A process that dies so often without a step in between will not do better the next time.
DEATHS = 3


@dataclass(frozen=True, slots=True)
class _Training:
    process: asyncio.subprocess.Process
    watching: asyncio.Task[None]
    needs: int


class JobQueue:
    """The queue of one server; `run` works it off until cancelled."""

    def __init__(self, database: Database, layout: Layout, settings: Config, config: Path | None) -> None:
        self._database = database
        self._layout = layout
        self._settings = settings
        self._config = config
        self._wake = asyncio.Event()
        self._training: dict[str, _Training] = {}

    @property
    def training_pids(self) -> dict[str, int]:
        """The process id of each running job."""
        return {job_id: training.process.pid for job_id, training in self._training.items()}

    def wake(self) -> None:
        """Something changed: look at the queue now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await self._lasting(self._requeue)
        while True:
            self._wake.clear()
            try:
                await self._validate()
                await self._start()
            except (OSError, sqlite3.Error):
                log.exception("the queue cannot be worked off; it is tried again in %s s", LOOK_SECONDS)
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _lasting(self, write: Callable[[], None]) -> None:
        """Write something that must not be lost, as soon as it can be written."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except (OSError, sqlite3.Error):
                log.exception("the database cannot be written; it is tried again in %s s", LOOK_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    def _requeue(self) -> None:
        with self._database.write() as connection:
            for job_id in jobs.requeue(connection):
                log.info("job %s was running when the server stopped; it is queued again", job_id)

    async def _validate(self) -> None:
        while True:
            waiting = await asyncio.to_thread(self._waiting, "validating_files")
            if not waiting:
                return
            await asyncio.to_thread(self._validate_one, waiting[0])

    def _waiting(self, status: str) -> list[jobs.Job]:
        with self._database.read() as connection:
            return jobs.waiting(connection, status)

    def _validate_one(self, job: jobs.Job) -> None:
        failure: JobFailed | None = None
        try:
            self._check_files(job)
            self._check_memory(job)
        except JobFailed as error:
            failure = error
        except OSError as error:
            failure = JobFailed(
                "file_not_found", f"A file of the job cannot be read: {error}", "training_file"
            )
        try:
            with self._database.write() as connection:
                if failure is None:
                    jobs.mark_validated(connection, job.id)
                else:
                    jobs.mark_failed(connection, job.id, failure)
        except jobs.NoLongerActive:
            log.info("job %s was cancelled or paused while its files were validated", job.id)

    def _check_files(self, job: jobs.Job) -> None:
        for file_id, param, least in (
            (job.training_file, "training_file", MIN_EXAMPLES),
            (job.validation_file, "validation_file", 1),
        ):
            if file_id is not None:
                read_rows(self._layout.file(file_id), param, method=job.method, at_least=least)

    def _needs(self, job: jobs.Job) -> int:
        """Bytes of memory (of each GPU, where there are some); 0 when they cannot be told."""
        files = [self._layout.file(name) for name in (job.training_file, job.validation_file) if name]
        tokens = min(self._settings.max_tokens, memory.longest_row(*files))
        return memory.training(self._settings.bases[job.base], tokens) or 0

    def _check_memory(self, job: jobs.Job) -> None:
        needs, room = self._needs(job), memory.room(self._settings)
        if needs <= room:
            return
        raise JobFailed(
            "insufficient_memory",
            f"Training {job.base} needs about {memory.text(needs)} of {memory.kind()}, but the server has"
            f" {memory.text(max(0, room))} beside what answering needs"
            f" ({memory.text(memory.serving(self._settings))})."
            f" {memory.what_fits(self._settings, room)}",
            "model",
        )

    async def _start(self) -> None:
        for job in await asyncio.to_thread(self._waiting, "queued"):
            if len(self._training) >= self._settings.jobs_at_once:
                return
            # A process that was cancelled or paused may still be about to end.
            if job.id in self._training:
                continue
            if job.base not in self._settings.bases:
                await asyncio.to_thread(self._fail, job.id, _base_gone(job))
                continue
            try:
                needs = await asyncio.to_thread(self._needs, job)
            except OSError:
                needs = 0  # The process that trains says what is wrong with its files.
            used = sum(training.needs for training in self._training.values())
            # The oldest job waits for its memory; nobody overtakes it.
            if used and used + needs > memory.room(self._settings):
                return
            await self._start_one(job, needs)

    async def _start_one(self, job: jobs.Job, needs: int) -> None:
        folder = self._layout.job(job.id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "train.log").open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *launching.command(self._layout.root, self._config, job.id, len(gpus.visible())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment(),
                )
        except OSError as error:
            failure = JobFailed("server_error", f"The training process could not be started: {error}")
            await asyncio.to_thread(self._fail, job.id, failure)
            return
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        log.info("job %s started, pid %s", job.id, process.pid)
        watching = asyncio.create_task(self._watch(job.id, process))
        self._training[job.id] = _Training(process, watching, needs)

    async def _watch(self, job_id: str, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        log.info("job %s: training process ended with code %s", job_id, code)
        await self._lasting(partial(self._settle, job_id, code))
        del self._training[job_id]
        self.wake()

    def _settle(self, job_id: str, code: int) -> None:
        if code == CANNOT_WRITE:
            return self._fail(job_id, cannot_write("the training process could not write into it"))
        self._again(job_id, code)

    def _again(self, job_id: str, code: int) -> None:
        """Queue a job again whose process ended without writing how; fail it when that happens too often."""
        with self._database.write() as connection:
            try:
                again = jobs.died(connection, job_id, DEATHS)
            except jobs.NoLongerActive:
                return
        if again:
            log.warning("job %s: its process died with code %s; it goes on from its last state", job_id, code)
            return
        killed = code == -signal.SIGKILL
        reason = (
            f"The job failed: its process ended {DEATHS} times without a step in between (code {code}"
            + (", killed, perhaps for want of memory" if killed else "")
            + f"). See {self._layout.job(job_id) / 'train.log'} on the server."
        )
        self._fail(job_id, JobFailed("out_of_memory" if killed else "server_error", reason))

    def _fail(self, job_id: str, failure: JobFailed) -> None:
        try:
            with self._database.write() as connection:
                jobs.mark_failed(connection, job_id, failure)
        except jobs.NoLongerActive:
            return
        log.warning("job %s: %s", job_id, failure.message)

    def cancel(self, job_id: str) -> None:
        """Stop the process of a job that was cancelled in the database."""
        training = self._training.get(job_id)
        if training is not None and training.process.returncode is None:
            training.process.terminate()
        self.wake()

    async def stop(self) -> None:
        """End the training processes; their jobs stay as they are and go on when the server is back."""
        ending = list(self._training.values())
        for training in ending:
            training.watching.cancel()
            if training.process.returncode is None:
                training.process.terminate()
        await asyncio.gather(*(_end(training.process) for training in ending))


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _base_gone(job: jobs.Job) -> JobFailed:
    return JobFailed("base_unavailable", f"The base {job.base} is no longer in trainserver.toml.", "model")
