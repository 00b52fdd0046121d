# pyright: basic
"""`trainserver base add` against a server on this machine that speaks the hub's API: a real download."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from trainserver import bases
from trainserver.config import load

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves one repository, `org/tiny`; `asked` are the paths of the files that were fetched."""

    def __init__(self, folder: Path, licence: str | None = "apache-2.0") -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []
        self.licence = licence
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.files |= {"pytorch_model.bin": b"not wanted", "README.md": b"not wanted either"}

    @property
    def about(self) -> bytes:
        files = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
        card = {"license": self.licence} if self.licence else {}
        known = {"id": "org/tiny", "sha": COMMIT, "private": False, "tags": [], "downloads": 0}
        return json.dumps({**known, "siblings": files, "cardData": card}).encode()

    @property
    def tree(self) -> bytes:
        return json.dumps(
            [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in self.files.items()
            ]
        ).encode()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self._file(body=False)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in ("/api/models/org/tiny", "/api/models/org/tiny/revision/main"):
            self._say(200, {"content-type": "application/json"}, self.server.about)
        elif path == f"/api/models/org/tiny/tree/{COMMIT}":
            self._say(200, {"content-type": "application/json"}, self.server.tree)
        else:
            self._file(body=True)

    def _file(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        name = path.rsplit("/", 1)[-1]
        if not path.startswith(f"/org/tiny/resolve/{COMMIT}/") or name not in self.server.files:
            return self._say(404, {}, b"")
        content = self.server.files[name]
        if body:
            self.server.asked.append(name)
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        self._say(200, headers, content, body=body)

    def _say(self, status: int, headers: dict[str, str], content: bytes, *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hub(tiny: Path) -> Iterator[Hub]:
    with Hub(tiny) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def add(hub: Hub, folder: Path, *arguments: str, says: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    config = folder / "trainserver.toml"
    return subprocess.run(
        [sys.executable, "-m", "trainserver", "base", "add", "org/tiny", "--config", str(config), *arguments],
        input=says,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_size_and_licence_are_shown_and_nothing_is_fetched_without_a_yes(hub: Hub, tmp_path: Path):
    done = add(hub, tmp_path, says="\n")
    assert done.returncode == 2
    assert "org/tiny: 0.00 GB, licence apache-2.0" in done.stdout
    assert "Nothing was downloaded" in done.stderr
    assert hub.asked == []
    assert not (tmp_path / "trainserver.toml").exists()


def test_a_base_is_downloaded_and_named_and_can_be_trained(hub: Hub, tmp_path: Path, tiny: Path):
    done = add(hub, tmp_path, says="y\n")
    assert done.returncode == 0, done.stderr
    base = load(tmp_path / "trainserver.toml").bases["tiny"]
    assert base.path == tmp_path / "models" / "tiny"
    assert base.path is not None
    assert bases.available(base)
    weights = "model.safetensors"
    assert (base.path / weights).read_bytes() == (tiny / weights).read_bytes()
    assert not {"pytorch_model.bin", "README.md"} & set(hub.asked)
    assert "smollm2-135m-instruct" in load(tmp_path / "trainserver.toml").bases
    again = add(hub, tmp_path, says="y\n")
    assert again.returncode == 2
    assert "has a base 'tiny' already" in again.stderr


def test_a_repository_without_safetensors_or_licence_says_so(hub: Hub, tmp_path: Path):
    hub.licence = None
    assert "licence not stated" in add(hub, tmp_path, says="\n").stdout
    del hub.files["model.safetensors"]
    done = add(hub, tmp_path, "--yes")
    assert done.returncode == 2
    assert "no weights in safetensors" in done.stderr
