"""The real side programs, started once a test process and spoken to over HTTP as any client does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
import yaml

from tests.contract import openai_wire
from tests.contract.localslack_client import EVERY_SCOPE, Slack
from tests.contract.trainserver_client import Trainer
from tests.support.tiny_model import make_tiny_model

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
KEY = "sk-contract"


@contextmanager
def program(folder: Path, name: str, *arguments: str) -> Generator[str]:
    """Run `python -m name` until the block ends; gives the address from its ready line."""
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", name, "--port", "0", "--data", str(folder / name), *arguments]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=sink, text=True)
    assert process.stdout is not None
    watchdog = Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        watchdog.cancel()
        assert f"{name} ready at http" in line, log.read_text("utf-8", "replace")[-3000:]
        yield line.split()[-1]
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            status = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()
    assert status == 0, f"{name} ended with {status} after SIGTERM"


@pytest.fixture(autouse=True)
def every_answer_of_trainserver_is_as_described() -> Generator[None]:
    """Hold all that a test was answered against OpenAI's description."""
    yield
    assert openai_wire.faults() == []


@pytest.fixture(scope="session")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slack]:
    """localslack with our app, which was given every scope that a called method needs."""
    folder = tmp_path_factory.mktemp("localslack")
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    manifest["oauth_config"]["scopes"]["bot"] = EVERY_SCOPE
    (folder / "manifest.yml").write_text(yaml.safe_dump(manifest), "utf-8")
    tokens = ("--bot-token", "xoxb-contract", "--app-token", "xapp-contract")
    with (
        program(folder, "localslack", "--manifest", str(folder / "manifest.yml"), *tokens) as url,
        Slack(url, "xoxb-contract", "xapp-contract") as client,
    ):
        yield client


@pytest.fixture(scope="session")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Generator[Trainer]:
    """trainserver on a random model of 0.1 M parameters."""
    folder = tmp_path_factory.mktemp("trainserver")
    make_tiny_model(folder / "tiny-model")
    config = folder / "trainserver.toml"
    settings = 'default_base = "tiny"\nmax_answer_tokens = 16\n[bases.tiny]\npath = "tiny-model"\n'
    config.write_text(settings, "utf-8")
    with (
        program(folder, "trainserver", "--config", str(config), "--api-key", KEY) as url,
        Trainer(url, KEY) as client,
    ):
        yield client
