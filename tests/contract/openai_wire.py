"""HTTP clients that hold every answer which passes through them against OpenAI's description.

What is wrong is gathered and not raised, because clients turn what is raised below them into errors of
their own; `faults()` takes it out, and a fixture asserts after each test that there was none.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import httpx2

from tests.contract.openai_spec import chunk_problems, document, error_problems, problems, schema_problems

_found: list[str] = []
_seen: set[tuple[str, str]] = set()


def faults() -> list[str]:
    """What was wrong with answers since the last call."""
    found = list(_found)
    _found.clear()
    return found


def seen() -> set[tuple[str, str]]:
    """Method and path (as in the description) of every good answer so far in this process."""
    return set(_seen)


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in document()["paths"]]


def _template(request: httpx2.Request) -> str | None:
    path = request.url.path.removeprefix("/v1")
    found = [template for pattern, template in _paths() if pattern.fullmatch(path)]
    described = document()["paths"]
    return next((one for one in found if request.method.lower() in described[one]), None)


def _note(response: httpx2.Response, wrong: list[str]) -> None:
    where = f"{response.request.method} {response.request.url.path} {response.status_code}"
    _found.extend(f"{where}: {one}" for one in wrong)


def _check(response: httpx2.Response) -> None:
    request, template = response.request, _template(response.request)
    if response.status_code >= 400:
        _note(response, error_problems(response.json()))
    elif template is not None:
        _seen.add((request.method, template))
        if not template.endswith("/content"):
            _note(response, problems(request.method, template, response.json()))
    elif re.fullmatch(r"/v1/responses/[^/]+", request.url.path) and request.method == "GET":
        _note(response, schema_problems("Response", response.json()))


def _streams(response: httpx2.Response) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


class _Tee(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """Passes a stream on and checks its events at the end."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._stream: Any = response.stream
        self._taken = b""

    def __iter__(self) -> Iterator[bytes]:
        for block in self._stream:
            self._taken += block
            yield block
        self._check()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._stream:
            self._taken += block
            yield block
        self._check()

    def _check(self) -> None:
        template = _template(self._response.request)
        assert template is not None
        _seen.add(("POST", template))
        for line in self._taken.decode().splitlines():
            data = line.removeprefix("data: ")
            if data != line and data != "[DONE]":
                event = json.loads(data)
                wrong = (
                    error_problems(event) if "error" in event and template == "/chat/completions" else None
                )
                _note(self._response, chunk_problems(template, event) if wrong is None else wrong)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _hook(response: httpx2.Response) -> None:
    if _streams(response):
        response.stream = _Tee(response)
    else:
        response.read()
        _check(response)


async def _async_hook(response: httpx2.Response) -> None:
    if _streams(response):
        response.stream = _Tee(response)
    else:
        await response.aread()
        _check(response)


def client(**options: Any) -> httpx2.Client:
    """A client whose answers are checked."""
    return httpx2.Client(event_hooks={"response": [_hook]}, timeout=60, **options)


def async_client(**options: Any) -> httpx2.AsyncClient:
    """An asynchronous client whose answers are checked."""
    return httpx2.AsyncClient(event_hooks={"response": [_async_hook]}, timeout=60, **options)
