"""A server over the 0.1 M random model, as a process or inside the test, and the official client."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.fine_tuning import FineTuningJob

from tests.contract import openai_wire
from tests.support.tiny_model import make_tiny_model
from tests.unit.trainserver.inprocess import Inside, inside

T = TypeVar("T")
DEADLINE = 120
FINAL = ("succeeded", "failed", "cancelled")


def until(probe: Callable[[], T | None], what: str) -> T:
    """Ask `probe` until it gives something true; fail after the deadline."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {DEADLINE} s")


def lines(count: int, answer: str = "number {}") -> bytes:
    """A training file of `count` small rows."""
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Say the number."},
                {"role": "user", "content": f"n {i}"},
                {"role": "assistant", "content": answer.format(i)},
            ]
        }
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _is_trainer_of(entry: Path, server: int) -> bool:
    try:
        named = b"trainserver.train\0" in (entry / "cmdline").read_bytes()
        return named and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == server
    except OSError:
        return False


@dataclass
class Server:
    """One server process and a client of it."""

    data: Path
    config: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    url: str = ""
    client: OpenAI = field(init=False)

    def start(self) -> Server:
        command = [sys.executable, "-m", "trainserver", "--port", "0", "--data", str(self.data)]
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.config), *self.options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline().strip()
        assert ready.startswith("trainserver ready at http://127.0.0.1:"), ready
        self.url = ready.split(" at ")[1]
        self.client = OpenAI(
            base_url=self.url,
            api_key="test",
            max_retries=0,
            timeout=DEADLINE,
            http_client=openai_wire.client(),
        )
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process and return its exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.client.close()
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code

    def trainer(self) -> int:
        """The process id of the training process, once there is one."""
        assert self.process is not None
        server = self.process.pid

        def probe() -> int | None:
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and _is_trainer_of(entry, server):
                    return int(entry.name)
            return None

        return until(probe, "a training process")

    def upload(self, content: bytes, name: str = "rows.jsonl") -> str:
        return self.client.files.create(file=(name, content), purpose="fine-tune").id

    def job(self, content: bytes | None = None, **options: Any) -> FineTuningJob:
        """Create a job with small defaults."""
        options.setdefault("model", "tiny")
        options.setdefault("training_file", self.upload(content or lines(12)))
        return self.client.fine_tuning.jobs.create(**options)

    def status(self, job_id: str, *wanted: str) -> FineTuningJob:
        """Wait until the job is in one of the states."""

        def probe() -> FineTuningJob | None:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            return job if job.status in wanted else None

        return until(probe, f"{job_id} {' or '.join(wanted)}")

    def finished(self, job_id: str) -> FineTuningJob:
        return self.status(job_id, *FINAL)

    def events(self, job_id: str) -> list[Any]:
        """All events, oldest first."""
        return list(self.client.fine_tuning.jobs.list_events(job_id, limit=1000))[::-1]


@pytest.fixture(autouse=True)
def every_answer_is_as_described() -> Iterator[None]:
    """Hold all that a test was answered against OpenAI's description."""
    yield
    assert openai_wire.faults() == []


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the random model."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def config(tiny: Path) -> Path:
    """A trainserver.toml that names the random model as its only base."""
    path = tiny.parent / "trainserver.toml"
    path.write_text('max_tokens = 512\n[bases.tiny]\npath = "tiny"\nlearning_rate = 0.01\n')
    return path


@pytest.fixture
def app(tmp_path: Path, config: Path) -> Inside:
    """The application inside the test process, over an empty folder."""
    return inside(tmp_path / "data", config)


@pytest.fixture
async def client(app: Inside) -> AsyncIterator[AsyncOpenAI]:
    """A client of it."""
    async with app.client() as made:
        yield made


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, config: Path) -> Iterator[Server]:
    """One server for all tests that only add to it."""
    running = Server(tmp_path_factory.mktemp("trainserver") / "data", config).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def own_server(tmp_path: Path, config: Path) -> Iterator[Server]:
    """A server that one test may treat badly."""
    running = Server(tmp_path / "data", config).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def trained(server: Server) -> FineTuningJob:
    """A finished job: 12 examples, 4 validation rows, five epochs."""
    checked = server.upload(lines(4))
    job = server.job(
        validation_file=checked,
        suffix="numbers",
        seed=5,
        metadata={"team": "red"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 5, "batch_size": 4}}},
    )
    done = server.finished(job.id)
    assert done.status == "succeeded", done.error
    return done
