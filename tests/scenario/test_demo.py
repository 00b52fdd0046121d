"""``ftbot demo`` as a person starts and stops it; the whole of it, with real training, is a long test."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

WAIT = 120.0


async def demo(*arguments: str, **settings: str) -> asyncio.subprocess.Process:
    """Starts the demo."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demo",
        *arguments,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_the_first_line_is_the_page_and_ctrl_c_stops_everything() -> None:
    process = await demo("--manual")
    assert process.stdout is not None
    async with asyncio.timeout(WAIT):
        first = (await process.stdout.readline()).decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", first)
        async for line in process.stdout:
            if b"still running" in line:
                break
        async with aiohttp.ClientSession() as session, session.get(first) as page:
            assert page.status == 200
            assert "text/html" in page.headers["content-type"]
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as session:
            await session.get(first)


async def test_a_program_that_fails_is_named_with_the_end_of_its_log() -> None:
    process = await demo("--manual", FTBOT_POLL_SECONDS="never")
    async with asyncio.timeout(WAIT):
        out, _ = await process.communicate()
    assert process.returncode == 1
    text = out.decode()
    assert "bot ended before it was ready" in text
    assert "FTBOT_POLL_SECONDS is wrong" in text


async def test_a_file_with_too_few_rows_is_wrong_usage(tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text('{"messages": []}\n' * 3)
    process = await demo("--data", str(few))
    async with asyncio.timeout(WAIT):
        out, _ = await process.communicate()
    assert process.returncode == 2
    assert "at least 10" in out.decode()
