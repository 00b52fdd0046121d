"""The FastAPI application: routes, API key, errors in OpenAI's shape."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from trainserver import housekeeping, integrations, webhooks
from trainserver.api import (
    chat,
    faults,
    files,
    graders,
    jobs,
    models,
    moderations,
    permissions,
    responses,
    uploads,
)
from trainserver.api.limits import BodyLimit
from trainserver.api.state import State
from trainserver.errors import ApiError, BadRequest
from trainserver.troubles import disk_full

log = logging.getLogger("trainserver")
REST_SECONDS = 30.0


def _body(message: str, type: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


async def _api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(_body(error.message, error.type, error.param, error.code), error.status)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = "" if first["type"] == "json_invalid" else _place(first["loc"][1:], error.body)
    message = f"Invalid request: {first['msg']}" + (f" - '{where}'" if where else "")
    return JSONResponse(_body(message, "invalid_request_error", where or None), 400)


def _place(path: Sequence[Any], body: Any) -> str:
    """The parameter that is wrong, without the names of the alternatives it was tried against."""
    parts: list[str] = []
    value: Any = body
    for step in path:
        known: Any = value
        try:
            value = known[step]
        except (KeyError, IndexError, TypeError):
            if step != path[-1] or isinstance(known, str | int | float):
                continue
        parts.append(str(step))
    return ".".join(parts)


async def _no_text(_request: Request, _error: Exception) -> JSONResponse:
    """JSON can spell halves of characters, which nothing can store."""
    return JSONResponse(_body("The request holds text that is not valid Unicode.", BadRequest.type), 400)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = f"{error.detail} ({request.method} {request.url.path})"
    code = "unknown_url" if error.status_code == 404 else None
    return JSONResponse(_body(message, "invalid_request_error", code=code), error.status_code)


async def _crash(_request: Request, error: Exception) -> JSONResponse:
    if disk_full(error):
        text = "The server's disk is full: room must be made in its data folder."
        return JSONResponse(_body(text, "server_error", code="disk_full"), 507)
    return JSONResponse(_body("The server had an error; its log says more.", "server_error"), 500)


async def _lasting(work: Callable[[], Awaitable[None]]) -> None:
    """Do what never ends, and go on with it after the disk was full."""
    while True:
        try:
            return await work()
        except (OSError, sqlite3.Error):
            log.exception("this is tried again in %s s", REST_SECONDS)
        await asyncio.sleep(REST_SECONDS)


def create_app(state: State, *, breakable: bool = False) -> FastAPI:
    """The application over `state`; its lifespan runs the job queue and ends the child processes.

    `breakable`: faults may be ordered.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        working = [
            asyncio.create_task(work)
            for work in (
                state.queue.run(),
                _lasting(partial(webhooks.run, state.database, state.config)),
                _lasting(partial(housekeeping.run, state.database, state.layout)),
                _lasting(partial(integrations.run, state.database, state.layout, state.wandb_key)),
            )
        ]
        yield
        for task in working:
            task.cancel()
        await asyncio.wait(working)
        await asyncio.gather(state.queue.stop(), state.serving.stop())

    app = FastAPI(
        title="ftbot trainserver", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.parts = state
    app.add_middleware(BodyLimit)
    for module in (files, uploads, jobs, permissions, models, chat, responses, moderations, graders):
        app.include_router(module.router)
    if breakable:
        app.state.faults = list[faults.Order]()
        app.add_middleware(faults.Faults, orders=app.state.faults)
        app.include_router(faults.router)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(UnicodeEncodeError, _no_text)
    app.add_exception_handler(Exception, _crash)
    return app
