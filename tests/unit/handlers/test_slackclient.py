"""The one client for Slack: whatever comes back becomes an error that its callers know."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from handlers.posting import certain
from handlers.slackapi import LONGEST_WAIT, broken, code_of, limited, rest_in, retry_after
from handlers.slackclient import PacedClient


@asynccontextmanager
async def client(take: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncGenerator[PacedClient]:
    """A client of a Slack that answers everything with ``take``."""
    app = web.Application()
    app.add_routes([web.post("/{method}", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield PacedClient(token="xoxb-1", base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/")
    finally:
        await runner.cleanup()


PAGES = {
    "a proxy's words": (502, "text/plain", "upstream connect error"),
    "a proxy's words that look fine": (200, "text/plain", "ok"),
    "a page": (503, "text/html", "<html>"),
    "a page that looks fine": (200, "text/html", "<html>"),
    "JSON that is none": (200, "application/json", "<html>"),
    "JSON that is no object": (200, "application/json", "null"),
    "a gateway's JSON that is none": (504, "application/json", ""),
}


@pytest.mark.parametrize("page", PAGES)
async def test_what_is_no_answer_of_slacks_leaves_open_what_slack_did(page: str) -> None:
    status, kind, text = PAGES[page]

    async def take(request: web.Request) -> web.Response:
        return web.Response(status=status, content_type=kind, text=text)

    async with client(take) as slack:
        with pytest.raises(SlackApiError) as raised:
            await slack.chat_postMessage(channel="C1", text="hello")
    problem = raised.value
    assert problem.response["error"] is None
    assert (code_of(problem), limited(problem), broken(problem)) == ("", False, True)
    assert not certain(problem)


async def test_a_limit_without_json_is_one_all_the_same() -> None:
    async def take(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"retry-after": "60"}, text="slow down")

    async with client(take) as slack:
        with pytest.raises(SlackApiError) as raised:
            await slack.chat_postMessage(channel="C1", text="hello")
        assert certain(raised.value)
        assert retry_after(raised.value) == 60
        assert not slack.pace.room("chat.postMessage", "C1")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("", 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
        ("-3", 0.0),
        ("1e9", 300.0),
    ],
)
def test_the_rest_that_slack_asks_for_is_read_from_whatever_it_says(said: str, seconds: float) -> None:
    assert rest_in({"retry-after": said}) == min(seconds, LONGEST_WAIT)


@pytest.mark.parametrize("behind", [False, True], ids=["for people", "for nobody"])
async def test_what_broke_on_the_way_is_not_sent_again_by_itself(behind: bool) -> None:
    """A piece of an answer, or a message, that Slack took would stand there twice."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.match_info["method"])
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with client(take) as slack:
        given = slack.behind() if behind else slack
        with pytest.raises(aiohttp.ClientError):
            await given.chat_appendStream(channel="C1", ts="1.1", markdown_text="one more piece")
    assert asked == ["chat.appendStream"]
