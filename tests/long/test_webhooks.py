"""A provider that calls has its job looked at long before the bot would ask."""

from __future__ import annotations

import base64
import os
import socket
from pathlib import Path

import aiohttp
import pytest

from demo.person import Person
from demo.programs import Programs
from tests.support.workspace import Workspace, trainer_config, well_formed

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


pytestmark = pytest.mark.long


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_a_job_s_end_is_known_from_the_trainer_s_own_webhook(tmp_path: Path) -> None:
    """The bot asks every five minutes only; the test would not see the end without the webhook."""
    port = free_port()
    env = {
        **os.environ,
        "FTBOT_POLL_SECONDS": "300",
        "FTBOT_HEALTH_PORT": str(port),
        "OPENAI_WEBHOOK_SECRET": SECRET,
    }
    programs = Programs(tmp_path, env)
    config = trainer_config(tmp_path)
    with config.open("a", encoding="utf-8") as more:
        more.write(f'[webhook]\nurl = "http://127.0.0.1:{port}/webhooks/local"\nsecret = "{SECRET}"\n')
    programs.options["trainserver"] = ["--config", str(config)]
    try:
        slack, _ = await programs.start_localslack(), await programs.start_trainserver()
        await programs.start_bot()
        jin = Person(slack.url, "jin", programs.check)
        place = Workspace(programs, jin, jin)
        channel = await place.channel()
        card = await place.start_job(channel, name="called", validation=False)
        await place.finished(channel, card)
        await well_formed(jin)
        await jin.close()
        async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert 'ftbot_webhooks_total{fate="woke",provider="local"} 1.0' in await answer.text()
    finally:
        await programs.stop()
