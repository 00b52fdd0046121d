"""The FastAPI application: routes, API key, errors in OpenAI's shape."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from trainserver.api import chat, files, jobs, models
from trainserver.api.state import Parts, State
from trainserver.errors import ApiError, Unauthorized


def _check_key(parts: Parts, request: Request) -> None:
    if parts.api_key is None:
        return
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(key.encode(), parts.api_key.encode()):
        raise Unauthorized("Incorrect API key provided.", code="invalid_api_key")


def _body(message: str, type: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


async def _api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(_body(error.message, error.type, error.param, error.code), error.status)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    message = f"Invalid request: {first['msg']}" + (f" - '{where}'" if where else "")
    return JSONResponse(_body(message, "invalid_request_error", where or None), 400)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = f"{error.detail} ({request.method} {request.url.path})"
    code = "unknown_url" if error.status_code == 404 else None
    return JSONResponse(_body(message, "invalid_request_error", code=code), error.status_code)


async def _crash(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse(_body("The server had an error; its log says more.", "server_error"), 500)


def create_app(state: State) -> FastAPI:
    """The application over `state`; its lifespan runs the job queue and ends the child processes."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        working = asyncio.create_task(state.queue.run())
        yield
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        await asyncio.gather(state.queue.stop(), state.serving.stop())

    app = FastAPI(
        title="ftbot trainserver", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.parts = state
    for module in (files, jobs, models, chat):
        app.include_router(module.router, dependencies=[Depends(_check_key)])
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _crash)
    return app
