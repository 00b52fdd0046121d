from __future__ import annotations

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tools import install


class Index(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Index) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/whl/cpu"
        server.shutdown()
        thread.join()


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_without_an_index_none_is_asked() -> None:
    assert install.index_options("") == []


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_index_that_answers_is_used(index: str) -> None:
    assert install.index_options(index) == ["--extra-index-url", index]


def test_with_a_gpu_the_ordinary_build_is_taken(index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert install.index_options(index) == []


@pytest.mark.usefixtures("no_gpu")
def test_an_index_that_is_away_is_done_without(index: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert install.index_options(index + "/gone") == []
    assert install.index_options("http://127.0.0.1:1/whl") == []
    assert install.index_options("file:///etc") == []
    assert "does not answer" in capsys.readouterr().out
