# pyright: basic
"""The answering half of bench/trainserver.py: in one process, over HTTP, alone and eight at once."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

THINGS = ("sea", "moon", "rain in the mountains", "bread", "old ships", "bees", "a library", "snow and ice")
CROWD = len(THINGS)


def told(
    tokens: int, seconds: float, first: float | None = None, peak: float | None = None
) -> dict[str, Any]:
    """A measurement; ``peak`` in MB, that of this process unless it is given."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if peak is None else peak
    found = {"tokens_per_second": tokens / seconds, "peak_mb": peak}
    return found if first is None else found | {"first_ms": first * 1000}


def question(thing: str) -> str:
    return f"Tell me about {thing}, in some sentences."


def _loaded(task: dict[str, Any]) -> tuple[Any, Any, list[list[int]]]:
    from trainserver.lora import load_model
    from trainserver.messages import Message
    from trainserver.template import encode_prompt, load_tokenizer

    tokenizer = load_tokenizer(Path(task["base"]), None)
    prompts = [encode_prompt(tokenizer, [Message("user", question(thing))]) for thing in THINGS]
    return load_model(Path(task["base"])), tokenizer, prompts


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """What the answering process does, without the ways to it."""
    from trainserver.generation import generate
    from trainserver.sampling import Sampling

    model, tokenizer, prompts = _loaded(task)

    def timed(tokens: int) -> tuple[int, float]:
        started = time.monotonic()
        (made,) = generate(model, tokenizer, prompts[:1], [Sampling(tokens, temperature=0)])
        return made.completion_tokens, time.monotonic() - started

    timed(2)
    first = timed(1)[1]
    return told(*timed(task["answer"]), first)


def _generated(task: dict[str, Any], count: int) -> dict[str, Any]:
    import torch

    model, _, prompts = _loaded(task)
    asked = prompts[:count]
    longest = max(map(len, asked))
    ids = torch.tensor([[0] * (longest - len(one)) + one for one in asked])
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in asked])

    def timed(tokens: int) -> tuple[int, float]:
        started = time.monotonic()
        with torch.inference_mode():
            made = model.generate(
                ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False, pad_token_id=0
            )
        # What comes after the end of an answer is filling.
        return int((made[:, longest:] != 0).sum()), time.monotonic() - started

    timed(2)
    first = timed(1)[1]
    return told(*timed(task["answer"]), first)


def generate(task: dict[str, Any]) -> dict[str, Any]:
    return _generated(task, 1)


def generate_crowd(task: dict[str, Any]) -> dict[str, Any]:
    """All prompts in one batch that is there from the start, the best case of `generate`."""
    return _generated(task, CROWD)


def served(task: dict[str, Any]) -> dict[str, Any]:
    return _served(task, 1)


def served_crowd(task: dict[str, Any]) -> dict[str, Any]:
    return _served(task, CROWD)


def _served(task: dict[str, Any], count: int) -> dict[str, Any]:
    """The whole program, asked over HTTP by `count` clients at once that read streams."""
    folder = Path(task["folder"])
    config = folder / "answering.toml"
    config.write_text(f'[bases.base]\npath = "{task["base"]}"\n')
    command = [sys.executable, "-m", "trainserver", "--port", "0", "--data", str(folder / "answering")]
    server = subprocess.Popen([*command, "--config", str(config)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split(" at ")[1].strip()
        found, seconds = asyncio.run(_crowd(url, count, task["answer"]))
        firsts = sorted(first for _, first in found)
        return told(sum(tokens for tokens, _ in found), seconds, firsts[count // 2], _peak(server.pid))
    finally:
        server.terminate()
        server.wait()


async def _crowd(url: str, count: int, tokens: int) -> tuple[list[tuple[int, float]], float]:
    import httpx2

    async with httpx2.AsyncClient(base_url=url, timeout=600) as client:
        await _asked(client, THINGS[0], 2)
        started = time.monotonic()
        found = await asyncio.gather(*(_asked(client, thing, tokens) for thing in THINGS[:count]))
        return found, time.monotonic() - started


async def _asked(client: Any, thing: str, tokens: int) -> tuple[int, float]:
    """Tokens of one streamed answer, and the seconds to its first."""
    body = {
        "model": "base",
        "messages": [{"role": "user", "content": question(thing)}],
        "max_tokens": tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    started, first = time.monotonic(), None
    async with client.stream("POST", "/chat/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if first is None and '"content"' in line and '"content": ""' not in line:
                first = time.monotonic() - started
            if line.startswith("data: {") and (usage := json.loads(line[6:]).get("usage")):
                used = usage["completion_tokens"]
    return used, time.monotonic() - started if first is None else first


def _peak(server: int) -> float:
    """Megabytes that the answering process had at most."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True, check=True
    )
    status = Path(f"/proc/{listed.stdout.split()[0]}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


MEASURED = (answer, generate, generate_crowd, served, served_crowd)
