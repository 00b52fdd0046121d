"""Webhooks: signed as the official client checks, tried again, lost by no crash."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web

from tests.unit.trainserver.inprocess import Inside
from trainserver import deliveries, jobs, webhooks
from trainserver.config import Config, Webhook, load
from trainserver.errors import ConfigError, JobFailed
from trainserver.hyperparameters import Asked, Resolved

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass
class Receiver:
    """Takes calls; answers the first ones with the statuses it was given."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    calls: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((await request.read(), dict(request.headers)))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def got(self, count: int, secret: str = SECRET) -> list[Any]:
        """The first `count` events as the official client unwraps them."""
        async with asyncio.timeout(30):
            while len(self.calls) < count:
                await asyncio.sleep(0.02)
        with openai.OpenAI(api_key="x", webhook_secret=secret) as client:
            return [client.webhooks.unwrap(body, headers) for body, headers in self.calls[:count]]


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def telling(url: str, **projects: Webhook) -> Config:
    return Config("tiny", {}, webhook=Webhook(url, KEY), webhooks=projects)


def new_job(app: Inside, job_id: str, project: str = "default") -> None:
    with app.state.database.write() as connection:
        asked = jobs.Job(job_id, 1, "queued", "tiny", "tiny", "file-x", None, None, 1, None, Asked())
        jobs.add(connection, replace(asked, project=project))


async def test_each_ending_is_told_once_and_the_official_client_accepts_it(app: Inside, receiver: Receiver):
    for job_id in ("ftjob-1", "ftjob-2", "ftjob-3"):
        new_job(app, job_id)
    with app.state.database.write() as connection:
        jobs.mark_running(connection, "ftjob-1", Resolved(1, 1, 1.0))
        jobs.mark_succeeded(connection, "ftjob-1", model="m", trained_tokens=1, result_file="file-r")
        jobs.mark_failed(connection, "ftjob-2", JobFailed("server_error", "no"))
        jobs.cancel(connection, "ftjob-3")
    running = asyncio.create_task(webhooks.run(app.state.database, telling(receiver.url)))
    events = await receiver.got(3)
    running.cancel()
    assert [(event.type, event.data.id) for event in events] == [
        ("fine_tuning.job.succeeded", "ftjob-1"),
        ("fine_tuning.job.failed", "ftjob-2"),
        ("fine_tuning.job.cancelled", "ftjob-3"),
    ]
    assert all(event.id.startswith("evt_") for event in events)


async def test_a_changed_body_is_not_accepted(app: Inside, receiver: Receiver):
    headers = webhooks.headers(KEY, "evt_1", int(time.time()), b"{}")
    with openai.OpenAI(api_key="x", webhook_secret=SECRET) as client:
        client.webhooks.verify_signature(b"{}", headers)
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.verify_signature(b"{ }", headers)


async def test_a_refused_delivery_is_tried_again_under_the_same_id(
    app: Inside, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "WAITS", (0, 0))
    monkeypatch.setattr(webhooks, "LOOK_SECONDS", 0.01)
    receiver.statuses = [500, 302]
    new_job(app, "ftjob-1")
    with app.state.database.write() as connection:
        jobs.cancel(connection, "ftjob-1")
    running = asyncio.create_task(webhooks.run(app.state.database, telling(receiver.url)))
    events = await receiver.got(3)
    running.cancel()
    assert len({event.id for event in events}) == 1


def test_a_delivery_is_given_up_after_the_last_wait(app: Inside):
    new_job(app, "ftjob-1")
    with app.state.database.write() as connection:
        jobs.cancel(connection, "ftjob-1")
        now = time.time()
        for _ in deliveries.WAITS:
            (one,) = deliveries.due(connection, now)
            assert deliveries.failed(connection, one, now)
            assert deliveries.due(connection, now) == []
            now += 2 * 24 * 3600
        (one,) = deliveries.due(connection, now)
        assert not deliveries.failed(connection, one, now)
        assert deliveries.due(connection, now) == []


async def test_a_project_is_told_at_its_own_endpoint_with_its_own_secret(app: Inside, receiver: Receiver):
    key = b"another-key-of-24-bytes."
    new_job(app, "ftjob-1")
    new_job(app, "ftjob-2", "support")
    with app.state.database.write() as connection:
        jobs.cancel(connection, "ftjob-1")
        jobs.cancel(connection, "ftjob-2")
    async with receiving() as theirs:
        config = telling(receiver.url, support=Webhook(theirs.url, key))
        running = asyncio.create_task(webhooks.run(app.state.database, config))
        (ours,) = await receiver.got(1)
        (other,) = await theirs.got(1, f"whsec_{base64.b64encode(key).decode()}")
        running.cancel()
    assert (ours.data.id, other.data.id) == ("ftjob-1", "ftjob-2")
    assert (len(receiver.calls), len(theirs.calls)) == (1, 1)


async def test_without_a_webhook_nothing_is_kept(app: Inside):
    new_job(app, "ftjob-1")
    with app.state.database.write() as connection:
        jobs.cancel(connection, "ftjob-1")
    running = asyncio.create_task(webhooks.run(app.state.database, Config("tiny", {})))
    async with asyncio.timeout(30):
        while True:
            with app.state.database.read() as connection:
                if not deliveries.due(connection, time.time()):
                    break
            await asyncio.sleep(0.02)
    running.cancel()


@pytest.mark.parametrize(
    "table",
    [
        'url = "https://x.example/h"',
        'url = "ftp://x.example/h"\nsecret = "whsec_MDEy"',
        'url = "https://x.example/h"\nsecret = "plain"',
        'url = "https://x.example/h"\nsecret = "whsec_"',
    ],
)
def test_a_webhook_that_cannot_work_is_refused_at_the_start(tmp_path: Path, table: str):
    path = tmp_path / "trainserver.toml"
    path.write_text(f'[bases.tiny]\npath = "tiny"\n[webhook]\n{table}\n')
    with pytest.raises(ConfigError, match=r"\[webhook\]"):
        load(path)
    path.write_text(f'[bases.tiny]\npath = "t"\n[webhook]\nurl = "https://x.example"\nsecret = "{SECRET}"\n')
    assert load(path).webhook == Webhook("https://x.example", KEY)
    assert load(path).webhook_of("any") == load(path).webhook
    path.write_text(f'[bases.tiny]\npath = "t"\n[webhooks.mine]\nurl = "https://x"\nsecret = "{SECRET}"\n')
    assert load(path).webhook_of("mine") == Webhook("https://x", KEY)
    assert load(path).webhook_of("other") is None
    assert "0123" not in repr(load(path))
