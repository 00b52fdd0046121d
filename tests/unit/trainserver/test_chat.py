"""Chat completions as an SDK client sees them."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.fine_tuning import FineTuningJob

from tests.unit.trainserver.conftest import Server, until

ASK: list[Any] = [{"role": "system", "content": "Say the number."}, {"role": "user", "content": "n 3"}]


def test_base_tuned_model_and_checkpoints_all_answer(server: Server, trained: FineTuningJob):
    names = [
        checkpoint.fine_tuned_model_checkpoint
        for checkpoint in server.client.fine_tuning.jobs.checkpoints.list(trained.id)
    ]
    for name in ["tiny", *names]:
        answer = server.client.chat.completions.create(model=name, messages=ASK, temperature=0, max_tokens=5)
        assert answer.model == name
        assert answer.choices[0].message.role == "assistant"
        assert answer.usage is not None
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_training_changes_the_answer(server: Server, trained: FineTuningJob):
    def answer(name: str) -> str:
        asked = server.client.chat.completions.create(model=name, messages=ASK, temperature=0, max_tokens=8)
        return asked.choices[0].message.content or ""

    assert answer(trained.fine_tuned_model or "") != answer("tiny")


def test_the_limit_of_tokens_is_kept_and_told(server: Server):
    answer = server.client.chat.completions.create(
        model="tiny", messages=ASK, temperature=0, max_completion_tokens=3
    )
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


def test_a_stream_has_role_text_end_and_usage(server: Server, trained: FineTuningJob):
    name = trained.fine_tuned_model or ""
    whole = server.client.chat.completions.create(model=name, messages=ASK, temperature=0, max_tokens=12)
    stream = server.client.chat.completions.create(
        model=name,
        messages=ASK,
        temperature=0,
        max_tokens=12,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_seed_repeats_a_random_answer(server: Server):
    def answer(seed: int) -> str:
        asked = server.client.chat.completions.create(
            model="tiny", messages=ASK, temperature=1, seed=seed, max_tokens=16
        )
        return asked.choices[0].message.content or ""

    assert answer(1) == answer(1)
    assert answer(1) != answer(2)


def test_an_answer_ends_before_its_stop_text(server: Server):
    whole = server.client.chat.completions.create(
        model="tiny", messages=ASK, temperature=1.0, seed=4, max_tokens=24
    )
    text = whole.choices[0].message.content or ""
    stop = next(two for two in (text[i : i + 2] for i in range(4, 20)) if "\ufffd" not in two)
    cut = server.client.chat.completions.create(
        model="tiny", messages=ASK, temperature=1.0, seed=4, max_tokens=24, stop=[stop]
    )
    assert cut.choices[0].message.content == text[: text.index(stop)]
    assert cut.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError),
        ({"model": "ft:tiny:ftbot::unknown1"}, openai.NotFoundError),
        ({"messages": []}, openai.BadRequestError),
        ({"messages": [{"role": "robot", "content": "x"}]}, openai.BadRequestError),
        ({"messages": [{"role": "user", "content": "x" * 5000}]}, openai.BadRequestError),
        ({"temperature": 3}, openai.BadRequestError),
        ({"n": 0}, openai.BadRequestError),
        ({"tools": [{"type": "web_search"}]}, openai.BadRequestError),
        ({"tool_choice": "required"}, openai.BadRequestError),
        ({"top_logprobs": 2}, openai.BadRequestError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_call_gets_a_clear_error(
    server: Server, options: dict[str, Any], kind: type[openai.APIStatusError], stream: bool
):
    call: Any = server.client.chat.completions.create
    with pytest.raises(kind) as caught:
        call(**{"model": "tiny", "messages": ASK, "max_tokens": 2, "stream": stream, **options})
    assert caught.value.type == "invalid_request_error"
    if kind is openai.NotFoundError:
        assert caught.value.code == "model_not_found"


async def test_many_clients_get_their_own_answers(server: Server, trained: FineTuningJob):
    import asyncio

    async with AsyncOpenAI(base_url=server.url, api_key="x", max_retries=0) as client:

        async def answer(model: str, number: int) -> str:
            messages: list[Any] = [ASK[0], {"role": "user", "content": f"n {number}"}]
            asked = await client.chat.completions.create(
                model=model, messages=messages, temperature=0, max_tokens=6
            )
            return asked.choices[0].message.content or ""

        wanted = [(model, i) for i in range(6) for model in ("tiny", trained.fine_tuned_model or "")]
        together = await asyncio.gather(*(answer(*one) for one in wanted))
        alone = [await answer(*one) for one in wanted]
    assert together == alone


def _serving_pid(server: Server) -> int:
    assert server.process is not None
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(server.process.pid)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return next(int(line.split()[0]) for line in listed.splitlines() if "trainserver.serve" in line)


def test_when_the_answering_process_dies_the_next_request_is_answered(own_server: Server):
    def ask() -> Any:
        return own_server.client.chat.completions.create(model="tiny", messages=ASK, max_tokens=2)

    def cut_off() -> bool:
        """False when the answer was over before its process was."""
        ask()
        serving = _serving_pid(own_server)
        stream = own_server.client.chat.completions.create(
            model="tiny", messages=ASK, max_tokens=500, stream=True, temperature=2
        )
        next(iter(stream))
        os.kill(serving, signal.SIGKILL)
        killed.append(serving)
        try:
            list(stream)
        except openai.APIError:
            return True
        until(answered, "an answer from a new process")
        return False

    def answered() -> bool:
        try:
            return bool(ask().choices)
        except openai.InternalServerError:
            return False

    killed: list[int] = []
    until(cut_off, "an answer that was cut off")
    until(answered, "an answer from a new process")
    assert _serving_pid(own_server) not in killed


def test_a_client_that_goes_away_stops_its_generation(server: Server):
    stream = server.client.chat.completions.create(
        model="tiny", messages=ASK, max_tokens=900, stream=True, temperature=2, seed=1
    )
    next(iter(stream))
    stream.close()
    answer = server.client.chat.completions.create(model="tiny", messages=ASK, max_tokens=1)
    assert answer.choices
