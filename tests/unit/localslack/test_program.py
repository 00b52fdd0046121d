"""The program from the outside: how it starts and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from localslack.app import main, parse

from .conftest import manifest


def test_it_says_where_it_is_and_ends_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text(yaml.safe_dump(manifest()))
    command = [sys.executable, "-m", "localslack", "--data", str(tmp_path / "d"), "--manifest", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert line.startswith("localslack ready at http://127.0.0.1:")
        with urllib.request.urlopen(line.split()[-1] + "/ui/state", timeout=10) as answer:
            assert answer.status == 200
        open_stream = urllib.request.urlopen(line.split()[-1] + "/ui/events", timeout=10)
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=15) == 0
        open_stream.close()
    assert (tmp_path / "d" / "tokens.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("extra", "words"),
    [(["--host", "0.0.0.0"], "this machine only"), (["--manifest", "no-such.yml"], "no-such.yml")],
)
def test_it_refuses_to_start_with_a_reason(
    tmp_path: Path, extra: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), *extra]) == 2
    assert words in capsys.readouterr().err


def test_tokens_may_come_from_the_environment(tmp_path: Path) -> None:
    options = parse(["--data", str(tmp_path)], {"LOCALSLACK_BOT_TOKEN": "xoxb-1"})
    assert options.bot_token == "xoxb-1"
    assert options.app_token is None
