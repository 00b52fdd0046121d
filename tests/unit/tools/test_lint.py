"""`make check` looks for what bandit looks for, everywhere in the programs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHIPPED = ("bot", "demo", "handlers", "localslack", "storage", "trainserver", "tuning")
UNSAFE = """from __future__ import annotations

import hashlib
import pickle
import subprocess


def run(words: str) -> object:
    subprocess.run(words, shell=True, check=True)
    eval(words)
    hashlib.md5(words.encode())
    return pickle.loads(words.encode())
"""


@pytest.mark.parametrize("package", SHIPPED)
def test_what_is_unsafe_is_found_in_every_package(package: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--no-cache"]
    command += ["--stdin-filename", f"{package}/unsafe.py", "-"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=UNSAFE, cwd=ROOT)
    assert done.returncode == 1
    assert {"S301", "S307", "S324", "S602"} <= set(re.findall(r"\bS\d{3}\b", done.stdout))


def test_no_more_of_it_is_left_out_than_is_said() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    unsafe = re.compile(r"S\d*$")
    assert {one for one in rules["ignore"] if unsafe.match(one)} == {"S101", "S603"}
    places = {place: set(filter(unsafe.match, found)) for place, found in rules["per-file-ignores"].items()}
    assert places == {
        "bench/**": {"S"},
        "storage/**": {"S608"},
        "trainserver/**": {"S608"},
        "tests/**": {"S"},
    }
    assert "$(BIN)/ruff check ." in (ROOT / "Makefile").read_text("utf-8")
