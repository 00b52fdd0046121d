"""What every endpoint works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from trainserver.config import Config
from trainserver.database import Database
from trainserver.jobqueue import JobQueue
from trainserver.layout import Layout
from trainserver.serving import Serving


@dataclass(frozen=True, slots=True)
class State:
    """The parts of the server, built once."""

    config: Config
    layout: Layout
    database: Database
    queue: JobQueue
    serving: Serving
    api_key: str | None


def build(data: Path, config: Config, config_path: Path | None, api_key: str | None) -> State:
    """Put the parts together; creates the data folder."""
    layout = Layout(data)
    (data / "files").mkdir(parents=True, exist_ok=True)
    database = Database(layout.database)
    return State(
        config, layout, database, JobQueue(database, layout, config_path), Serving(data, config_path), api_key
    )


def _state(request: Request) -> State:
    return request.app.state.parts


Parts = Annotated[State, Depends(_state)]
