"""The page in a real Chromium, against the real localslack with a small app connected to it.

One server, one app and one browser per test process; every test has its own channel and its own page. A page
that logs an error, throws, or asks anything of another host fails its test.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.browser.small_app import make_app
from tests.support.lacking import lacking
from tools.browser import find

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BOT_TOKEN, APP_TOKEN = "xoxb-browser-tests", "xapp-1-browser-tests"
HERE = Path(__file__).parent
EXPECTED = re.compile(
    r"Failed to load resource: (the server responded with a status of [45]|"
    r"net::ERR_(CONNECTION|INCOMPLETE|EMPTY))"
)
"""Chromium logs refused and broken requests by itself; the tests look at the page's own words instead."""

expect.set_options(timeout=15_000)


@dataclass
class Workspace:
    """The running workspace: ``url``, the app's Web API ``client``, a session for acting through ``/ui``."""

    url: str
    client: AsyncWebClient
    session: aiohttp.ClientSession
    state: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    async def ui(self, verb: str, path: str, *, by: str = "jin", **body: Any) -> dict[str, Any]:
        headers = {"X-Localslack-User": by}
        async with self.session.request(
            verb, f"{self.url}/ui/{path}", json=body or None, headers=headers
        ) as answer:
            said = await answer.json()
        assert said["ok"], said
        return said

    def user(self, name: str) -> str:
        return next(u["id"] for u in self.state["users"] if u["name"] == name)

    async def channel(self, *members: str) -> tuple[str, str]:
        """A new channel with Jin, the app and these people. Its id and name."""
        self.count += 1
        name = f"room-{self.count}"
        made = (await self.ui("POST", "channels", name=name))["channel"]["id"]
        for user in (self.state["app"]["bot_user_id"], *map(self.user, members)):
            await self.ui("POST", f"channels/{made}/members", user=user)
        return made, name


@contextmanager
def localslack(data: Path, port: int = 0) -> Generator[str]:
    """localslack as a program of its own; its address."""
    command = [sys.executable, "-m", "localslack", "--port", str(port), "--data", str(data)]
    command += ["--manifest", str(HERE / "manifest.yml"), "--bot-token", BOT_TOKEN, "--app-token", APP_TOKEN]
    with (data / "log").open("w") as log:
        program = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=HERE.parents[1]
        )
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line.startswith("localslack ready at "), (data / "log").read_text()
            yield line.split()[-1]
        finally:
            program.terminate()
            program.wait(timeout=10)
            if program.stdout:
                program.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The workspace that the tests of one process share."""
    with localslack(tmp_path_factory.mktemp("localslack")) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workspace(server: str) -> AsyncGenerator[Workspace]:
    """The workspace with the small app connected over Socket Mode."""
    app = make_app(BOT_TOKEN, f"{server}/api/")
    handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=AsyncWebClient(base_url=f"{server}/api/"))
    await handler.connect_async()
    async with aiohttp.ClientSession() as session:
        made = Workspace(
            server, AsyncWebClient(BOT_TOKEN, base_url=f"{server}/api/", session=session), session
        )
        made.state = await made.ui("GET", "state")
        yield made
    await handler.close_async()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """A headless Chromium. Without one these tests are skipped, and fail where CI=true."""
    path = find()
    if path is None:
        lacking("NO BROWSER: no Chromium on this machine, the page is not tested (see tools/browser.py)")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        await opened.close()


class Running(Protocol):
    """A workspace that answers at ``url``."""

    url: str


@dataclass
class Desk:
    """Opens pages as one person or another and keeps watch over them."""

    browser: Browser
    workspace: Running
    troubles: list[str] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    async def open(self, place: str = "", *, user: str = "jin", **options: Any) -> Page:
        """A page at ``place`` (what stands after # in the address), ready for use."""
        context = await self.browser.new_context(viewport={"width": 1280, "height": 860}, **options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("console", lambda m: self._said(m.type, m.text))
        page.on("pageerror", lambda error: self.troubles.append(f"thrown: {error}"))
        page.on("request", self._asked)
        self.pages.append(page)
        await page.goto(f"{self.workspace.url}/?user={user}#{place}")
        await page.wait_for_selector("[data-ready]")
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not EXPECTED.match(text):
            self.troubles.append(f"{kind}: {text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"asked of another host: {request.url}")


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Browser, workspace: Workspace) -> AsyncGenerator[Desk]:
    """Pages for one test; at its end none of them may have had trouble."""
    for person in ("jin", "mina"):
        for view in reversed((await workspace.ui("GET", "views", by=person))["views"]):
            await workspace.ui("POST", f"views/{view['id']}/close", by=person)
    made = Desk(browser, workspace)
    yield made
    for page in made.pages:
        await page.context.close()
    assert made.troubles == []
