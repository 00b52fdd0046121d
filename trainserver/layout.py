"""Where things lie in the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The data folder: database, uploaded files, converted bases, one folder a job."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "trainserver.db"

    def file(self, file_id: str) -> Path:
        return self.root / "files" / file_id

    def upload(self, upload_id: str) -> Path:
        return self.root / "uploads" / upload_id

    def base(self, name: str) -> Path:
        return self.root / "bases" / name

    def job(self, job_id: str) -> Path:
        return self.root / "jobs" / job_id

    def epoch(self, job_id: str, epoch: int) -> Path:
        return self.job(job_id) / f"epoch-{epoch}"

    def relative(self, path: Path) -> str:
        """`path` as it is written in the database, so that the folder may be moved."""
        return path.relative_to(self.root).as_posix()
