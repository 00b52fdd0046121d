"""Takes jobs from created to running.

It validates files, starts one training process at a time and notices its end.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from trainserver import jobs
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.layout import Layout
from trainserver.rows import read_rows
from trainserver.serving import arguments, environment

log = logging.getLogger("trainserver")
NICENESS = 10
END_SECONDS = 5
LOOK_SECONDS = 5.0


class JobQueue:
    """The queue of one server; `run` works it off until cancelled."""

    def __init__(self, database: Database, layout: Layout, config: Path | None) -> None:
        self._database = database
        self._layout = layout
        self._config = config
        self._wake = asyncio.Event()
        self._training: tuple[str, asyncio.subprocess.Process] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def training_pid(self) -> int | None:
        """The process id of the running job, if one runs."""
        return None if self._training is None else self._training[1].pid

    def wake(self) -> None:
        """Something changed: look at the queue now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.to_thread(self._requeue)
        while True:
            self._wake.clear()
            await self._validate()
            await self._start_next()
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    def _requeue(self) -> None:
        with self._database.write() as connection:
            for job_id in jobs.requeue(connection):
                log.info("job %s was running when the server stopped; it is queued again", job_id)

    async def _validate(self) -> None:
        while True:
            job = await asyncio.to_thread(self._oldest, "validating_files")
            if job is None:
                return
            await asyncio.to_thread(self._validate_one, job)

    def _oldest(self, status: str) -> jobs.Job | None:
        with self._database.read() as connection:
            return jobs.oldest(connection, status)

    def _validate_one(self, job: jobs.Job) -> None:
        failure: JobFailed | None = None
        try:
            read_rows(self._layout.file(job.training_file), "training_file")
            if job.validation_file is not None:
                read_rows(self._layout.file(job.validation_file), "validation_file", at_least=1)
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
            log.info("job %s was cancelled while its files were validated", job.id)

    async def _start_next(self) -> None:
        if self._training is not None:
            return
        job = await asyncio.to_thread(self._oldest, "queued")
        if job is None:
            return
        folder = self._layout.job(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "train.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *arguments("trainserver.train", self._layout.root, self._config),
                job.id,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(),
            )
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        log.info("job %s started, pid %s", job.id, process.pid)
        self._training = (job.id, process)
        self._watching = asyncio.create_task(self._watch(job.id, process))

    async def _watch(self, job_id: str, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        log.info("job %s: training process ended with code %s", job_id, code)
        await asyncio.to_thread(self._settle, job_id, code)
        self._training = None
        self.wake()

    def _settle(self, job_id: str, code: int) -> None:
        """Fail a job whose process ended without writing how."""
        log_file = self._layout.job(job_id) / "train.log"
        reason = (
            f"The job failed due to an internal error: its process ended with code {code}. See {log_file}."
        )
        with self._database.write() as connection:
            try:
                jobs.mark_failed(connection, job_id, JobFailed("server_error", reason))
            except jobs.NoLongerActive:
                return
        log.warning("%s", reason)

    def cancel(self, job_id: str) -> None:
        """Stop the process of a job that was cancelled in the database."""
        if (
            self._training is not None
            and self._training[0] == job_id
            and self._training[1].returncode is None
        ):
            self._training[1].terminate()
        self.wake()

    async def stop(self) -> None:
        """End the training process; its job stays as it is and goes on when the server is back."""
        if self._training is None or self._watching is None:
            return
        self._watching.cancel()
        process = self._training[1]
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
