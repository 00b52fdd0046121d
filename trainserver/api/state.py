"""What every endpoint works with."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from trainserver import keys
from trainserver.config import Config
from trainserver.database import Database
from trainserver.errors import Forbidden, Unauthorized
from trainserver.jobqueue import JobQueue
from trainserver.keys import Access
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
    wandb_key: str | None

    def needs_key(self) -> bool:
        """Whether a request must carry a key: one was set at the start, or some were issued."""
        with self.database.read() as connection:
            return self.api_key is not None or keys.exist(connection)


def build(
    data: Path, config: Config, config_path: Path | None, api_key: str | None, wandb_key: str | None = None
) -> State:
    """Put the parts together; creates the data folder."""
    layout = Layout(data)
    (data / "files").mkdir(parents=True, exist_ok=True)
    database = Database(layout.database)
    return State(
        config,
        layout,
        database,
        JobQueue(database, layout, config, config_path),
        Serving(data, config_path),
        api_key,
        wandb_key,
    )


def _state(request: Request) -> State:
    return request.app.state.parts


Parts = Annotated[State, Depends(_state)]


def _access(parts: Parts, request: Request) -> Access:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else ""
    if parts.api_key is not None and hmac.compare_digest(key.encode(), parts.api_key.encode()):
        return keys.OWNER
    with parts.database.read() as connection:
        found = keys.find(connection, key)
        if found is not None:
            return found
        if parts.api_key is None and not keys.exist(connection):
            return keys.OWNER
    if not key:
        raise Unauthorized("You didn't provide an API key: send 'Authorization: Bearer KEY'.")
    raise Unauthorized("Incorrect API key provided.", code="invalid_api_key")


Who = Annotated[Access, Depends(_access)]
"""Who asks; no request gets past it without a good key."""


def may_change(who: Who) -> None:
    """For routes that an inference key does not open."""
    if who.scope == "inference":
        raise Forbidden("This key may ask models only.", code="insufficient_permissions")


def may_share(who: Who) -> None:
    """For routes that need an admin key, as at OpenAI."""
    if who.scope != "admin":
        raise Forbidden("This needs an admin key.", code="insufficient_permissions")
