# pyright: basic
"""Every endpoint of the server is one that OpenAI describes, and `test_api_sdk.py` walks through it.

That file runs each of its tests with the synchronous and with the asynchronous client. What its `call("…")`s
ask for is found out here by making the same calls of a client whose requests go nowhere.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import reduce
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.contract.openai_spec import document
from tests.unit.trainserver.inprocess import inside

Route = tuple[str, str]
WALK = Path(__file__).with_name("test_api_sdk.py")
# Parameters that are no plain text.
VALUES: dict[str, Any] = {
    "file": ("a", b"b"),
    "data": b"b",
    "messages": [],
    "part_ids": [],
    "project_ids": [],
}


def _text(node: ast.expr, names: dict[str, str]) -> str:
    """The value of a string, also of f"{jobs}.create" where `jobs` is a string of the same function."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr), ast.dump(node)
    parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue | ast.Constant)]
    return "".join(names[part.id] if isinstance(part, ast.Name) else str(part) for part in parts)


def _walked() -> dict[str, str]:
    """The client's methods that the walk calls, by their dotted names, and the test that does."""
    found: dict[str, str] = {}
    for test in ast.walk(ast.parse(WALK.read_text("utf-8"))):
        if not isinstance(test, ast.AsyncFunctionDef) or not test.name.startswith("test_"):
            continue
        names = {
            target.id: str(node.value.value)
            for node in ast.walk(test)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(test):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "call":
                found[_text(node.args[0], names)] = test.name
    return found


def _asked_by(name: str) -> Route:
    """Method and path of what a method of the official client asks for."""
    asked: list[Route] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.method, request.url.path))
        return httpx2.Response(418, json={})

    with (
        httpx2.Client(transport=httpx2.MockTransport(note)) as http,
        openai.OpenAI(api_key="x", base_url="http://nowhere/v1", max_retries=0, http_client=http) as client,
    ):
        method: Any = reduce(getattr, name.split("."), client)
        needed = [one for one in inspect.signature(method).parameters.values() if one.default is one.empty]
        plain = [one.name for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
        named = [one.name for one in needed if one.kind is one.KEYWORD_ONLY]
        with pytest.raises(openai.APIStatusError):
            method(*(VALUES.get(one, "x") for one in plain), **{one: VALUES.get(one, "x") for one in named})
    return asked[0]


def _shape(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))


@pytest.fixture
def routes(tmp_path: Path, config: Path) -> list[Route]:
    described = inside(tmp_path / "data", config).app.openapi()["paths"]
    return [(method.upper(), path) for path, methods in described.items() for method in methods]


def test_the_official_client_sync_and_async_walks_through_every_endpoint(routes: list[Route]):
    walked = {_asked_by(name): test for name, test in _walked().items()}
    assert len(walked) > 20
    covered = {
        route: test
        for route in routes
        for (method, path), test in walked.items()
        if method == route[0] and _shape(route[1]).fullmatch(path)
    }
    print(*(f"{method:6} {path:60} {test}" for (method, path), test in covered.items()), sep="\n")
    assert [route for route in routes if route not in covered] == []


# GET and DELETE of an answer are OpenAI's, but not in the part of its description that is kept here.
BEYOND = {("GET", "/v1/responses/{response_id}"), ("DELETE", "/v1/responses/{response_id}")}

# A list of stored chats; none are stored.
NOT_HERE = ("GET", "/v1/chat/completions")


def test_every_endpoint_that_openai_describes_is_here_and_no_other(routes: list[Route]):
    def plain(route: Route) -> Route:
        return route[0], re.sub(r"\{[^}]+\}", "{}", route[1])

    described = {
        (method.upper(), f"/v1{path}") for path, methods in document()["paths"].items() for method in methods
    }
    assert {plain(route) for route in routes if route not in BEYOND} == {
        plain(one) for one in described if one != NOT_HERE
    }
