"""The SHA-256 of a file, found by a thread while others look at the same file."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from tuning.datasets.lines import CHUNK


class Hasher:
    """Reads at most ``most`` bytes and what comes at once after them; begins with :meth:`begin`."""

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most = path, most
        self._done: Future[tuple[int, str]] = Future()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hasher", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._done.set_result(self._read())
        except OSError as error:
            self._done.set_exception(error)

    def _read(self) -> tuple[int, str]:
        digest, size, buffer = hashlib.sha256(), 0, bytearray(CHUNK)
        view = memoryview(buffer)
        with self._path.open("rb", buffering=0) as stream:
            while (read := stream.readinto(buffer)) and not self._over.is_set():
                digest.update(view[:read])
                size += read
                if size > self._most:
                    break
        return size, digest.hexdigest()

    def result(self) -> tuple[int, str]:
        """Size and digest of what was read. Raises ``OSError``."""
        if not self._thread.ident:
            return self._read()
        return self._done.result()

    def __enter__(self) -> Hasher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident:
            self._thread.join()
