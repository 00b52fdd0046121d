"""The manifest of an installation: its slash command, and what an upgrade adds to it."""

from __future__ import annotations

import ast
import copy
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.doctor import _manifest
from bot.errors import SettingsError
from bot.manifest import additions, manifest, manifest_text, remember, remember_first, remembered
from bot.settings import Settings


def settings(folder: Path, command: str = "/ft") -> Settings:
    return cast(Settings, SimpleNamespace(ftbot_data=folder, ftbot_command=command))


def test_another_command_takes_the_place_of_the_old_one_and_nothing_else_changes() -> None:
    ours, theirs = manifest("/ft"), manifest("/tune-it")
    assert theirs["features"]["slash_commands"][0].pop("command") == "/tune-it"
    assert ours["features"]["slash_commands"][0].pop("command") == "/ft"
    assert ours == theirs


@pytest.mark.parametrize("command", ["tune", "/Tune", "/", "/a b", "/" + "x" * 32, "/ft\n"])
def test_a_command_that_slack_refuses_is_refused_here(command: str) -> None:
    with pytest.raises(SettingsError, match="no slash command"):
        manifest_text(command)
    for verb in ("manifest", "setup"):
        said = CliRunner().invoke(main, [verb, "--command", command])
        assert said.exit_code == 2
        assert "--command" in said.output


def test_an_upgrade_names_each_scope_event_shortcut_and_feature_it_adds(tmp_path: Path) -> None:
    remember(tmp_path, "/ft")
    old: Any = copy.deepcopy(remembered(tmp_path))
    old["oauth_config"]["scopes"]["bot"].remove("users:read")
    old["settings"]["event_subscriptions"]["bot_events"].remove("app_home_opened")
    old["features"]["shortcuts"] = []
    old["features"]["app_home"]["home_tab_enabled"] = False
    assert additions(old, manifest("/tune")) == [
        "scope users:read",
        "event app_home_opened",
        "slash command /tune",
        "shortcut About this message",
        "feature app_home.home_tab_enabled",
    ]
    assert additions(manifest("/ft"), manifest("/ft")) == []


def test_doctor_says_what_is_new_until_it_was_pasted(tmp_path: Path) -> None:
    assert _manifest(settings(tmp_path), pasted=False).ok
    found = _manifest(settings(tmp_path, "/tune"), pasted=False)
    assert not found.ok
    assert found.detail == "this version adds slash command /tune"
    assert "ftbot manifest --command /tune" in found.todo
    assert "ftbot doctor --pasted" in found.todo
    assert _manifest(settings(tmp_path, "/tune"), pasted=True).ok
    assert _manifest(settings(tmp_path, "/tune"), pasted=False).ok


def test_the_first_manifest_stays_remembered_when_the_bot_starts_again(tmp_path: Path) -> None:
    remember_first(tmp_path / "data", "/ft")
    remember_first(tmp_path / "data", "/tune")
    assert remembered(tmp_path / "data") == manifest("/ft")


def test_a_data_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SettingsError, match="set FTBOT_DATA"):
        remember(tmp_path / "data", "/ft")


def test_no_message_names_the_command_itself_so_that_renaming_it_is_complete() -> None:
    root = Path(__file__).parents[3]
    found: list[str] = []
    for path in sorted(
        p for floor in ("handlers", "tuning", "storage") for p in (root / floor).rglob("*.py")
    ):
        tree = ast.parse(path.read_text("utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{path.relative_to(root)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
            if re.search(r"/ft\b", node.value)
        ]
    assert found == []
