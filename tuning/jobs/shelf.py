"""The kept files: private, compressed, named by their content; unpacked only while something reads them."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tuning.errors import NotKept

PACKED = ".gz"
_OPEN = "open-"
_LEVEL = 3
"""Chat files shrink to about a tenth at this level already, three times as fast as at the usual one."""


class Shelf:
    """A folder of kept files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tidy(self) -> None:
        """Removes what an earlier life left unpacked or half made; to be called before anything works."""
        for pattern in (f"{_OPEN}*", "making-*", "progress-*", "report-*"):
            for left in self._folder.glob(pattern):
                left.unlink(missing_ok=True)

    def older_than(self, moment: float) -> list[str]:
        """The names of the kept files that were written before ``moment``."""
        return [file.name for file in self._folder.glob("*.jsonl*") if file.stat().st_mtime < moment]

    def space(self, name: str) -> Path:
        """Where a file under work may be written."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder / name

    def take(self, path: Path, name: str) -> Path:
        """Moves a file in as ``name``, readable for ourselves alone."""
        inside = self.space(name)
        if path != inside:
            shutil.move(path, inside)
        inside.chmod(0o600)
        return inside

    def pack(self, path: Path, sha256: str) -> Path:
        """The content compressed under its own name; the loose file stays until the caller removes it."""
        packed = self.space(f"{sha256}.jsonl{PACKED}")
        if packed.exists():
            return packed
        handle, part = tempfile.mkstemp(dir=self._folder, prefix=_OPEN)  # mode 0600
        with (
            os.fdopen(handle, "wb") as out,
            gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) as packer,
            path.open("rb") as source,
        ):
            shutil.copyfileobj(source, packer, 1 << 20)
        Path(part).replace(packed)
        return packed

    def put(self, name: str, data: bytes) -> Path:
        """Keeps a small file beside the others."""
        path = self.space(name)
        path.touch(mode=0o600)
        path.write_bytes(data)
        return path


@contextmanager
def unpacked(path: Path | str | None) -> Generator[Path]:
    """The kept file as it was dropped, for as long as it is read.

    Raises:
        NotKept: it is gone.
    """
    if path is None or not Path(path).is_file():
        raise NotKept
    kept = Path(path)
    if kept.suffix != PACKED:
        yield kept
        return
    handle, name = tempfile.mkstemp(dir=kept.parent, prefix=_OPEN, suffix=".jsonl")
    try:
        with os.fdopen(handle, "wb") as out, gzip.open(kept, "rb") as source:
            shutil.copyfileobj(source, out, 1 << 20)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@asynccontextmanager
async def unpacked_aside(path: Path | str | None) -> AsyncGenerator[Path]:
    """:func:`unpacked` without holding up the event loop."""
    opened = unpacked(path)
    plain = await asyncio.to_thread(opened.__enter__)
    try:
        yield plain
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)
