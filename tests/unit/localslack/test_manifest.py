from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from localslack.errors import ManifestError
from localslack.manifest import Command, load, parse

ROOT = Path(__file__).parents[3]
SMALLEST = {"display_information": {"name": "x"}, "features": {"bot_user": {"display_name": "xbot"}}}


def test_the_house_manifest_is_one_that_slack_takes() -> None:
    manifest = load(ROOT / "manifest.yml")
    assert manifest.name == "ftbot"
    assert manifest.bot_name == "ftbot"
    assert manifest.socket_mode
    assert manifest.home_tab
    assert manifest.interactivity
    assert [(command.command, command.should_escape) for command in manifest.commands] == [("/ft", True)]


def test_what_is_absent_is_empty_or_off() -> None:
    manifest = parse(SMALLEST)
    assert manifest.bot_name == "xbot"
    assert manifest.scopes == frozenset()
    assert manifest.commands == ()
    assert manifest.bot_events == frozenset()
    assert not manifest.home_tab
    assert not manifest.socket_mode


def test_a_command_without_hint_is_taken_as_slack_takes_it() -> None:
    features = {**SMALLEST["features"], "slash_commands": [{"command": "/x", "description": "d"}]}
    assert parse({**SMALLEST, "features": features}).commands == (Command("/x", "d", "", False),)


def test_an_unknown_key_is_refused_with_its_place() -> None:
    with pytest.raises(ManifestError, match=r"my\.yml: Slack would refuse the manifest at features: .*wings"):
        parse({**SMALLEST, "features": {**SMALLEST["features"], "wings": True}}, "my.yml")


def test_an_app_without_a_bot_user_is_refused() -> None:
    with pytest.raises(ManifestError, match="bot_user"):
        parse({"display_information": {"name": "x"}})


@pytest.mark.parametrize("text", ["", "just words", "- a list"])
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.yml"
    path.write_text(text)
    with pytest.raises(ManifestError, match="Slack would refuse"):
        load(path)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yml"
    path.write_text("a: [1")
    with pytest.raises(ManifestError, match="not valid YAML"):
        load(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere\.yml: the manifest cannot be read"):
        load(tmp_path / "nowhere.yml")


def test_commands_events_and_scopes_are_listed_once() -> None:
    raw = yaml.safe_load((ROOT / "manifest.yml").read_text())
    for names in (raw["oauth_config"]["scopes"]["bot"], raw["settings"]["event_subscriptions"]["bot_events"]):
        assert names == sorted(set(names))
