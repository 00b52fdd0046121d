"""The SHA-256 of a file that is read chunk by chunk."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

_WAITING = 8


class Hasher:
    """Takes chunks in order; from the second on, a thread hashes them while the caller goes on."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def add(self, chunk: bytes) -> None:
        """Take the next chunk."""
        if not self.size:
            self._hash.update(chunk)
        else:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1)
            self._waiting.append(self._thread.submit(self._hash.update, chunk))
            if len(self._waiting) > _WAITING:
                self._waiting.popleft().result()
        self.size += len(chunk)

    def hexdigest(self) -> str:
        """The digest of all that was taken."""
        while self._waiting:
            self._waiting.popleft().result()
        return self._hash.hexdigest()

    def __enter__(self) -> Hasher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
