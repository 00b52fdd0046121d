"""Writes a file made from a dropped one, keeping where each line came from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

from tuning.datasets.linemap import LineMap


class Derived:
    """A file being written, a line at a time; ``lines`` and ``sha256`` are right once it is closed.

    Raises ``OSError``, and ``ValueError`` when it would overwrite the file it is made from.
    """

    def __init__(self, out: Path, source: Path) -> None:
        if out.exists() and out.samefile(source):
            raise ValueError("the copy would overwrite the file it is made from; choose another name")
        self._file = out.open("wb")
        self._hash = hashlib.sha256()
        self.lines = LineMap()

    @property
    def rows(self) -> int:
        """Lines written so far."""
        return len(self.lines)

    @property
    def sha256(self) -> str:
        """Of what was written."""
        return self._hash.hexdigest()

    def write(self, data: bytes, dropped: int) -> None:
        """Write one line; ``dropped`` is the line of the dropped file it stands for."""
        self._file.write(data)
        self._file.write(b"\n")
        self._hash.update(data)
        self._hash.update(b"\n")
        self.lines.append(dropped)

    def __enter__(self) -> Derived:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
