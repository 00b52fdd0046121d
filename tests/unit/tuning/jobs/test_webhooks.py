"""What a provider says on its own only has it asked earlier."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

from bot.health import Health, serving
from bot.webhooks import Webhooks
from tests.support.tiny_model import make_tiny_model
from tests.unit.trainserver.inprocess import inside
from tests.unit.tuning.jobs.conftest import Works
from trainserver import jobs as training
from trainserver import webhooks
from trainserver.config import Config, Webhook
from trainserver.hyperparameters import Asked
from tuning.providers import ProviderConfig, Providers

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


async def test_a_job_that_the_provider_speaks_of_is_asked_about_before_its_time(works: Works) -> None:
    await works.started()
    works.house.provider.jobs[0]["status"] = "queued"
    await works.pass_time(1.0)
    assert (await works.job()).state == "accepted"
    assert await works.engine.told_of("openai", "ftjob-1")
    await works.engine.settle()
    assert (await works.job()).state == "queued"


async def test_what_the_provider_says_of_unknown_or_ended_jobs_changes_nothing(works: Works) -> None:
    await works.started()
    works.house.provider.jobs[0] |= {"status": "cancelled"}
    await works.pass_time()
    calls = len(works.house.provider.calls)
    for provider, job in (("openai", "ftjob-1"), ("openai", "ftjob-9"), ("other", "ftjob-1")):
        assert not await works.engine.told_of(provider, job)
    await works.engine.settle()
    assert len(works.house.provider.calls) == calls


async def test_a_word_that_comes_while_the_watch_is_asking_is_not_forgotten(works: Works) -> None:
    """The list was read before the job ended, and its answer is kept after the webhook came."""
    await works.started()
    provider = works.house.provider
    await works.pass_time()
    asked = provider.count("GET", "/fine_tuning/jobs")
    provider.fault("GET", "/fine_tuning/jobs", status=0, hang=0.2)
    works.house.now += 400
    await works.engine.tick()
    await works.until(lambda: provider.count("GET", "/fine_tuning/jobs") > asked)
    provider.jobs[0]["status"] = "queued"
    works.house.now += 1
    await works.engine.told_of("openai", "ftjob-1")
    await works.engine.settle()
    await works.pass_time(0.0)
    assert (await works.job()).state == "queued"


async def test_the_trainer_s_own_sender_wakes_the_watch(works: Works, tmp_path: Path) -> None:
    """Its database, its loop and its signature, over a real socket."""
    await works.started()
    works.house.provider.jobs[0]["status"] = "queued"
    make_tiny_model(tmp_path / "tiny")
    config = tmp_path / "trainserver.toml"
    config.write_text('[bases.tiny]\npath = "tiny"\n')
    database = inside(tmp_path / "data", config).state.database
    with database.write() as connection:
        row = training.Job("ftjob-1", 1, "queued", "tiny", "tiny", "file-x", None, None, 1, None, Asked())
        training.add(connection, row)
        training.cancel(connection, "ftjob-1")
    signed = Providers([ProviderConfig("openai", works.house.provider.base_url, "sk", SECRET)])
    routes = Webhooks(signed, works.engine).routes()
    health = Health(works.house.store, lambda: 0.0, lambda: True, time.time, routes)
    async with serving(health, "127.0.0.1", 0) as port:
        target = Webhook(f"http://127.0.0.1:{port}/webhooks/openai", KEY)
        told = Config("tiny", {}, webhook=target)
        sending = asyncio.create_task(webhooks.run(database, told))
        async with asyncio.timeout(20):
            while (await works.job()).state == "accepted":
                await asyncio.sleep(0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    await works.engine.settle()
    await signed.close()
    assert (await works.job()).state == "queued"
