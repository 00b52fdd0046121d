"""The program: what it imports, who it lets in, how it starts, ends and starts again."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import openai
import pytest

from tests.unit.trainserver.conftest import Server, lines, until
from trainserver.program import listen, main


def test_the_server_process_imports_no_machine_learning():
    code = (
        "import sys, trainserver.program, trainserver.api.app;"
        "print([name for name in ('torch', 'transformers', 'peft', 'numpy', 'gguf') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_a_key_it_does_not_listen_to_other_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path)]) == 2
    assert "--api-key" in capsys.readouterr().err


def test_faults_cannot_be_ordered_from_other_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    open_to_all = ["--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path), "--api-key", "k"]
    assert main([*open_to_all, "--faults"]) == 2
    assert "--faults" in capsys.readouterr().err


def test_settings_that_cannot_be_used_end_it_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    config = tmp_path / "trainserver.toml"
    config.write_text("default_base = 'x'\n[bases.y]\npath = 'y'\n")
    assert main(["--port", "0", "--data", str(tmp_path), "--config", str(config)]) == 2
    assert "no [bases.x]" in capsys.readouterr().err


def test_a_wrong_key_is_turned_away(tmp_path: Path, config: Path):
    server = Server(tmp_path / "data", config, ("--api-key", "test")).start()
    try:
        assert server.client.models.list().data
        with (
            openai.OpenAI(base_url=server.url, api_key="wrong", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError) as caught,
        ):
            stranger.models.list()
        assert caught.value.code == "invalid_api_key"
    finally:
        assert server.stop() == 0


async def test_what_is_answered_is_sent_at_once():
    found: list[int] = []

    async def served(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = listen("127.0.0.1", 0)
    async with await asyncio.start_server(served, sock=listening):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        await reader.read()
        writer.close()
        await writer.wait_closed()
    assert found == [1]


def test_an_unknown_path_gets_an_error_in_openais_shape(server: Server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/nothing")
    with caught.value as answer:
        assert answer.code == 404
        assert set(json.load(answer)["error"]) == {"message", "type", "param", "code"}


def test_an_interrupt_ends_it_cleanly(own_server: Server):
    assert own_server.stop(signal.SIGINT) == 0


def _steps(server: Server, job_id: str) -> list[int]:
    return [event.data["step"] for event in server.events(job_id) if event.type == "metrics"]


@pytest.mark.long
def test_a_job_goes_on_after_the_server_was_ended_or_killed_and_nothing_is_told_twice(own_server: Server):
    job = own_server.job(lines(12), hyperparameters={"n_epochs": 50, "batch_size": 4})
    waiting = own_server.job(hyperparameters={"n_epochs": 1})
    until(lambda: len(_steps(own_server, job.id)) > 3, "the second epoch")
    before = own_server.events(job.id)
    for ending in (signal.SIGTERM, signal.SIGKILL):
        own_server.stop(ending)
        own_server.start()
        ended = _steps(own_server, job.id)[-1]
        until(lambda past=ended + 3: len(_steps(own_server, job.id)) > past, "another epoch")
    assert own_server.client.fine_tuning.jobs.retrieve(waiting.id).status == "queued"
    own_server.client.fine_tuning.jobs.cancel(job.id)
    events = own_server.events(job.id)
    assert [event.id for event in events[: len(before)]] == [event.id for event in before]
    steps = _steps(own_server, job.id)
    assert steps == list(range(1, len(steps) + 1))
    assert len([event.message for event in events if "restarted" in event.message]) == 2
    assert own_server.finished(waiting.id).status == "succeeded"


def test_a_job_whose_base_does_not_load_fails_and_the_server_lives(tmp_path: Path, config: Path, tiny: Path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    settings = tmp_path / "trainserver.toml"
    settings.write_text(f'[bases.tiny]\npath = "{tiny}"\n[bases.broken]\npath = "broken"\n')
    server = Server(tmp_path / "data", settings).start()
    try:
        done = server.finished(server.job(model="broken").id)
        assert done.status == "failed"
        assert done.error is not None
        assert done.error.code == "base_unavailable"
        with pytest.raises(openai.InternalServerError):
            server.client.chat.completions.create(model="broken", messages=[{"role": "user", "content": "x"}])
        answer = server.client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=1
        )
        assert answer.choices
    finally:
        assert server.stop() == 0
