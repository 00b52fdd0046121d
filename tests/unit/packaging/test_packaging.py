"""The systemd unit and the Containerfile: what can be told without starting either."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.support.lacking import lacking

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "packaging" / "ftbot.service"
CONTAINERFILE = ROOT / "packaging" / "Containerfile"
IGNORE = ROOT / ".dockerignore"


class Unit(configparser.ConfigParser):
    """A unit file: its names are told apart by their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def service() -> configparser.SectionProxy:
    unit = Unit(interpolation=None, strict=False)
    unit.read_string(UNIT.read_text("utf-8"))
    return unit["Service"]


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in CONTAINERFILE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def ignored() -> list[str]:
    return [line for line in IGNORE.read_text("utf-8").splitlines() if line and line[0] != "#"]


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is of Linux alone")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        lacking("no systemd-analyze on this machine: the unit is only read")
    # Only what must exist on the machine itself is exchanged: the program and the user.
    text = (
        UNIT.read_text("utf-8")
        .replace("/opt/ftbot/bin/ftbot", "/bin/true")
        .replace("User=ftbot", "User=root")
    )
    unit = tmp_path / "ftbot.service"
    unit.write_text(text, "utf-8")
    said = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_the_unit_runs_a_command_that_exists_where_it_may_write() -> None:
    words = service()["ExecStart"].split()
    assert words[0].endswith("/bin/ftbot")
    assert CliRunner().invoke(main, [*words[1:], "--help"]).exit_code == 0
    state = f"/var/lib/{service()['StateDirectory']}"
    assert service()["WorkingDirectory"] == state
    assert service()["Environment"].removeprefix("FTBOT_DATA=").startswith(state)


def test_the_unit_starts_again_and_gives_no_rights_away() -> None:
    assert service()["Restart"] == "always"
    assert service()["User"] == "ftbot"
    assert service()["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert service()[name] == "yes"


def test_the_image_runs_the_bot_as_a_person_without_rights_and_takes_signals() -> None:
    steps = instructions()
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim", steps[0][1])
    names = [name for name, _ in steps]
    assert names[-1] == "CMD"
    assert steps[-1][1] == '["ftbot", "run"]', "a shell would keep SIGTERM from the bot"
    assert dict(steps)["USER"] not in ("root", "0")
    assert names.index("USER") > names.index("RUN")
    assert set(names) <= {"FROM", "COPY", "RUN", "USER", "WORKDIR", "ENV", "VOLUME", "CMD"}


def test_nothing_private_goes_into_the_image_and_all_of_the_package_does() -> None:
    rules = ignored()
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert not let_in & {".env", ".git", ".venv", "data", "tests"}
