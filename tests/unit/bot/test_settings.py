"""Settings: what is missing is named, what is set is used, nothing is read at import."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "OPENAI_API_KEY": "sk-1"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An empty folder without .env, and only the good settings set."""
    monkeypatch.chdir(tmp_path)
    for name in [
        *GOOD,
        "SLACK_SIGNING_SECRET",
        "FTBOT_HEALTH_PORT",
        "SLACK_API_URL",
        "OPENAI_BASE_URL",
        "FTBOT_POLL_SECONDS",
    ]:
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_every_missing_setting_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SLACK_BOT_TOKEN")
    environment.delenv("SLACK_APP_TOKEN")
    with pytest.raises(SettingsError) as problem:
        load()
    assert "SLACK_BOT_TOKEN is not set" in str(problem.value)
    assert "SLACK_APP_TOKEN is not set" in str(problem.value)
    assert problem.value.exit_code == 2


def test_a_signing_secret_is_enough_where_slack_can_call(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SLACK_APP_TOKEN", "")
    environment.setenv("SLACK_SIGNING_SECRET", "shh")
    with pytest.raises(SettingsError, match="FTBOT_HEALTH_PORT is not set") as problem:
        load()
    assert "shh" not in str(problem.value)
    environment.setenv("FTBOT_HEALTH_PORT", "8080")
    assert (load().app_token, load().signing_secret) == (None, "shh")
    environment.setenv("SLACK_SIGNING_SECRET", " ")
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN is not set"):
        load()


def test_a_wrong_value_is_named_without_repeating_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FTBOT_POLL_SECONDS", "soon")
    with pytest.raises(SettingsError, match="FTBOT_POLL_SECONDS is wrong") as problem:
        load()
    assert "xoxb-1" not in str(problem.value)


def test_a_dotenv_file_is_read_and_the_environment_wins(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-file\nFTBOT_MAX_FILE_MB=3\n")
    settings = load()
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1"
    assert settings.max_file_bytes == 3 * 1024 * 1024


def test_files_come_from_slack_or_from_the_configured_local_host(environment: pytest.MonkeyPatch) -> None:
    assert load().file_hosts == {"files.slack.com"}
    environment.setenv("SLACK_API_URL", "http://127.0.0.1:4000/api")
    settings = load()
    assert settings.file_hosts == {"127.0.0.1:4000"}
    assert settings.api_url == "http://127.0.0.1:4000/api/"


def test_one_provider_comes_from_the_usual_names(environment: pytest.MonkeyPatch) -> None:
    assert [(p.name, p.api_key) for p in load().providers()] == [("openai", "sk-1")]
    environment.delenv("OPENAI_API_KEY")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        load().providers()


def test_several_providers_come_from_a_file_in_its_order(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "providers.toml").write_text(
        '[providers.trainer]\nbase_url = "http://t/v1"\napi_key_env = "TRAINER_KEY"\n'
        '[providers.openai]\nbase_url = "https://api.openai.com/v1"\n'
    )
    with pytest.raises(SettingsError, match="TRAINER_KEY"):
        load().providers()
    environment.setenv("TRAINER_KEY", "k")
    assert [(p.name, p.api_key) for p in load().providers()] == [("trainer", "k"), ("openai", "sk-1")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[providers", "cannot be read"),
        ("", "names no provider"),
        ("[providers.x]\napi_key_env = 'OPENAI_API_KEY'\n", "no base_url"),
    ],
)
def test_a_bad_providers_file_is_explained(
    environment: pytest.MonkeyPatch, tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "providers.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        load().providers()
