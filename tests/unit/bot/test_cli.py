"""The command line: every command helps, wrong usage is exit 2, the manifest is the one that is packed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from bot.app import _only_one
from bot.cli import main
from bot.errors import StartError


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_a_line_of_help(command: str) -> None:
    assert main.commands[command].get_short_help_str()


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["trian"]).exit_code == 2


def test_the_manifest_carries_the_command_that_was_asked_for() -> None:
    made = CliRunner().invoke(main, ["manifest", "--command", "/tune"])
    manifest = yaml.safe_load(made.output)
    assert [c["command"] for c in manifest["features"]["slash_commands"]] == ["/tune"]
    assert made.exit_code == 0


def test_run_without_settings_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(main, ["run"])
    assert done.exit_code == 2
    assert "SLACK_BOT_TOKEN is not set" in done.output


def test_two_bots_cannot_share_a_folder(tmp_path: Path) -> None:
    with _only_one(tmp_path), pytest.raises(StartError, match="Another ftbot"):
        _only_one(tmp_path)
