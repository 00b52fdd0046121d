"""What a machine runs out of, recognised in the many words that libraries have for it."""

from __future__ import annotations

import errno
import sqlite3

from trainserver.errors import BaseUnavailable, JobFailed

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_SPACE_WORDS = ("no space left", "disk is full", "disk i/o error", "file too large", "quota exceeded")
NO_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


def disk_full(error: BaseException) -> bool:
    """Whether nothing can be written any more. SQLite says "disk I/O error" where a quota ends."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return True
    return isinstance(error, OSError | RuntimeError | sqlite3.Error) and _says(error, NO_SPACE_WORDS)


def out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, in main memory or on a GPU."""
    return isinstance(error, MemoryError) or _says(error, NO_MEMORY_WORDS)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def readable(error: Exception) -> JobFailed:
    """What stopped a training, as the job's `error`."""
    if isinstance(error, JobFailed):
        return error
    if isinstance(error, BaseUnavailable):
        return JobFailed("base_unavailable", str(error), "model")
    if disk_full(error):
        return cannot_write(str(error))
    if out_of_memory(error):
        return JobFailed(
            "out_of_memory",
            "The server's memory did not suffice for this training. Shorter examples, a smaller base or"
            f" a machine with more memory would do. ({error})",
        )
    return JobFailed("server_error", f"The job failed due to an internal error: {error}")


def cannot_write(what: str) -> JobFailed:
    """The `error` of a job that could not write."""
    return JobFailed(
        "disk_full",
        f"The server's disk is full: {what}. Make room in its data folder and create the job again.",
    )
