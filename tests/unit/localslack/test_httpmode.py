"""HTTP mode: what the app gets at its request URL, signed, and what counts as an acknowledgement."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from localslack.app import Options, open_world, running
from localslack.errors import StartError
from tests.support.waiting import until

from .conftest import Workspace, manifest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = "shh-very-secret"
TOKEN = "xoxb-http"


@asynccontextmanager
async def listening(handler: Handler) -> AsyncGenerator[str]:
    """A web server on a free port with one address; its URL."""

    async def take(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_post("/slack/events", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def http_workspace(folder: Path, url: str) -> AsyncGenerator[Workspace]:
    path = folder / "manifest.yml"
    path.write_text(yaml.safe_dump(manifest()))
    options = Options(folder / "data", path, bot_token=TOKEN, signing_secret=SECRET, http=url)
    async with running(options) as world, aiohttp.ClientSession() as session:
        yield Workspace(world, session)


class Kept:
    """Requests as they came, answered by ``answer``."""

    def __init__(self, *answers: web.Response) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self._answers = list(answers)

    async def __call__(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.text()))
        return self._answers.pop(0) if self._answers else web.Response()


async def test_a_bolt_app_with_its_own_verifier_answers_over_http(tmp_path: Path) -> None:
    places: dict[str, str] = {}
    bolt = AsyncApp(
        token=TOKEN,
        signing_secret=SECRET,
        client=AsyncWebClient(token=TOKEN, base_url="http://127.0.0.1:9/api/"),
    )

    @bolt.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        places["mention"] = event["text"]

    @bolt.command("/ft")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        await ack(f"You said {body['text']}")

    server = bolt.server()
    async with listening(server.handle_post_requests) as url, http_workspace(tmp_path, url) as ws:
        bolt.client.base_url = f"{ws.world.base_url}/api/"
        assert (await ws.jin.post("/control", {"verify_url": True}))["verified"] is True
        assert (await ws.jin.get("/state"))["app"]["connected"] is True
        await ws.jin.say("general", "@ftbot hello")
        await until(lambda: "mention" in places)
        await ws.jin.post("/commands", {"channel": "general", "text": "/ft jobs & more"})
        shown = (await ws.jin.get("/channels/general/messages"))["messages"][-1]
        assert (shown["text"], shown["ephemeral"]) == ("You said jobs &amp; more", True)


async def test_every_request_is_signed_over_its_raw_body(tmp_path: Path) -> None:
    kept = Kept()
    async with listening(kept) as url, http_workspace(tmp_path, url) as ws:
        await ws.jin.say("general", "grüße")
        await until(lambda: kept.requests)
    headers, body = kept.requests[0]
    assert SignatureVerifier(SECRET).is_valid_request(body, headers)
    assert not SignatureVerifier("another").is_valid_request(body, headers)
    assert not SignatureVerifier(SECRET).is_valid_request(body + " ", headers)
    assert headers["Content-Type"] == "application/json"
    assert "X-Slack-Retry-Num" not in headers


async def test_a_refused_event_comes_again_with_number_and_reason(tmp_path: Path) -> None:
    kept = Kept(web.Response(status=500), web.Response(status=500))
    async with listening(kept) as url, http_workspace(tmp_path, url) as ws:
        await ws.jin.post("/control", {"retry_delays": [0, 0, 0]})
        await ws.jin.say("general", "hello")
        await until(lambda: len(kept.requests) == 3)
    signs = [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h, _ in kept.requests]
    assert signs == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({body for _, body in kept.requests}) == 1


async def test_an_app_can_refuse_further_tries(tmp_path: Path) -> None:
    kept = Kept(web.Response(status=500, headers={"X-Slack-No-Retry": "1"}))
    async with listening(kept) as url, http_workspace(tmp_path, url) as ws:
        await ws.jin.post("/control", {"retry_delays": [0, 0, 0]})
        await ws.jin.say("general", "first")
        await ws.jin.say("general", "second")
        await until(lambda: any("second" in body for _, body in kept.requests))
    assert sum("first" in body for _, body in kept.requests) == 1


@pytest.mark.parametrize(("status", "error"), [(500, "dispatch_failed"), (404, "dispatch_failed")])
async def test_a_person_hears_when_the_app_refuses_a_command(tmp_path: Path, status: int, error: str) -> None:
    async with (
        listening(Kept(web.Response(status=status))) as url,
        http_workspace(tmp_path, url) as ws,
        ws.session.post(
            f"{ws.world.base_url}/ui/commands", json={"channel": "general", "text": "/ft"}
        ) as answer,
    ):
        assert (await answer.json())["error"] == error


async def test_socket_mode_is_off_in_http_mode(tmp_path: Path) -> None:
    async with listening(Kept()) as url, http_workspace(tmp_path, url) as ws:
        answer = await ws.session.post(
            f"{ws.world.base_url}/api/apps.connections.open",
            headers={"Authorization": f"Bearer {ws.world.me.app_token}"},
        )
        assert (await answer.json())["ok"] is False


async def test_a_request_url_on_another_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text(yaml.safe_dump(manifest()))
    with pytest.raises(StartError, match="this machine"):
        open_world(Options(tmp_path / "data", path, http="https://example.com/slack"))
