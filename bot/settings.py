"""Settings from the environment or ``.env``, under the names the ecosystem already uses."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError
from tuning.providers import ProviderConfig

SLACK_FILE_HOSTS = frozenset({"files.slack.com"})
"""Where Slack serves files from (docs.slack.dev/reference/objects/file-object)."""

_NO_WAY_IN = (
    "SLACK_APP_TOKEN is not set. Set it in the environment or in .env;"
    " in HTTP mode set SLACK_SIGNING_SECRET instead."
)
_NO_PORT = (
    "FTBOT_HEALTH_PORT is not set. In HTTP mode Slack's requests come in there: set it,"
    " or set SLACK_APP_TOKEN for Socket Mode."
)


class Settings(BaseSettings):
    """Everything that can be set; names in the environment are the field names in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", str_strip_whitespace=True)

    slack_bot_token: SecretStr
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    openai_webhook_secret: SecretStr | None = None
    ftbot_data: Path = Path("data")
    ftbot_providers: Path = Path("providers.toml")
    ftbot_upload: Literal["at-once", "on-start"] = "at-once"
    ftbot_poll_seconds: float = Field(default=10.0, ge=0.1, le=300)
    ftbot_max_file_mb: int = Field(default=512, ge=1)
    ftbot_keep_datasets: Literal["forever"] | Annotated[float, Field(gt=0)] = "forever"
    ftbot_max_job_usd: float | None = Field(default=None, gt=0)
    ftbot_chat_tokens_per_month: int | None = Field(default=None, ge=1)
    ftbot_admins: str = ""
    ftbot_guests: Literal["refuse", "allow"] = "refuse"
    ftbot_health_port: int = Field(default=0, ge=0, le=65535)
    ftbot_health_host: str = "127.0.0.1"
    ftbot_command: str = Field(default="/ft", pattern=r"^/[a-z0-9_-]{1,31}$")
    ftbot_log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("slack_signing_secret", "slack_app_token")
    @classmethod
    def _empty_is_unset(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is not None and value.get_secret_value().strip() else None

    @field_validator("slack_app_token")
    @classmethod
    def _there_is_a_way_in(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("slack_signing_secret") is None:
            raise ValueError(_NO_WAY_IN)
        return value

    @field_validator("ftbot_health_port")
    @classmethod
    def _slack_can_call(cls, value: int, info: ValidationInfo) -> int:
        if not value and info.data.get("slack_app_token", "wrong already") is None:
            raise ValueError(_NO_PORT)
        return value

    @property
    def app_token(self) -> str | None:
        """The token of Socket Mode; ``None`` in HTTP mode. Where both could be, it is Socket Mode."""
        return self.slack_app_token.get_secret_value() if self.slack_app_token else None

    @property
    def signing_secret(self) -> str | None:
        """What Slack signs its requests with in HTTP mode."""
        return self.slack_signing_secret.get_secret_value() if self.slack_signing_secret else None

    @property
    def api_url(self) -> str:
        """Slack's Web API address with its closing slash."""
        return self.slack_api_url.rstrip("/") + "/"

    @property
    def file_hosts(self) -> frozenset[str]:
        """``host`` or ``host:port`` of the places a drop may be fetched from."""
        host = urlsplit(self.slack_api_url).netloc.lower()
        return SLACK_FILE_HOSTS if host == "slack.com" else frozenset({host})

    @property
    def admins(self) -> frozenset[str]:
        """User ids that may cancel and delete what others started."""
        return frozenset(name for name in self.ftbot_admins.replace(",", " ").split() if name)

    @property
    def keep_days(self) -> float | None:
        """How many days dropped files are kept; ``None``: until somebody deletes them."""
        return None if self.ftbot_keep_datasets == "forever" else self.ftbot_keep_datasets

    @property
    def max_file_bytes(self) -> int:
        """The largest drop that is fetched, in bytes."""
        return self.ftbot_max_file_mb * 1024 * 1024

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.ftbot_data / "ftbot.db"

    def providers(self) -> list[ProviderConfig]:
        """The configured providers, the default one first.

        Raises:
            SettingsError: there is none, or ``providers.toml`` cannot be read.
        """
        if self.ftbot_providers.is_file():
            return _from_toml(self.ftbot_providers, self)
        if self.openai_api_key is None:
            raise SettingsError(
                "OPENAI_API_KEY is not set. Set it in the environment or in .env; for another server set"
                " OPENAI_BASE_URL as well, for several write a providers.toml."
            )
        key = self.openai_api_key.get_secret_value()
        secret = self.openai_webhook_secret
        return [
            ProviderConfig(
                _name_of(self.openai_base_url),
                self.openai_base_url,
                key,
                secret.get_secret_value() if secret else None,
            )
        ]


def _name_of(base_url: str) -> str:
    host = urlsplit(base_url).hostname or "provider"
    if host in ("127.0.0.1", "localhost", "::1"):
        return "local"
    return "openai" if host == "api.openai.com" else host


def _from_toml(path: Path, settings: Settings) -> list[ProviderConfig]:
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8")).get("providers", {})
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {problem}.") from problem
    found: list[ProviderConfig] = []
    for name, table in tables.items():
        variable = str(table.get("api_key_env", "OPENAI_API_KEY"))
        key = os.environ.get(variable)
        if key is None and variable == "OPENAI_API_KEY" and settings.openai_api_key is not None:
            key = settings.openai_api_key.get_secret_value()
        if not key:
            raise SettingsError(f"Provider {name} in {path} takes its key from {variable}, which is not set.")
        if "base_url" not in table:
            raise SettingsError(f"Provider {name} in {path} has no base_url.")
        secret = _webhook_secret(str(name), table, settings)
        found.append(ProviderConfig(str(name), str(table["base_url"]), key, secret))
    if not found:
        raise SettingsError(f"{path} names no provider: add a table [providers.NAME] with base_url.")
    return found


def _webhook_secret(name: str, table: dict[str, Any], settings: Settings) -> str | None:
    variable = table.get("webhook_secret_env")
    if variable is None:
        return None
    secret = os.environ.get(str(variable))
    if secret is None and variable == "OPENAI_WEBHOOK_SECRET" and settings.openai_webhook_secret is not None:
        secret = settings.openai_webhook_secret.get_secret_value()
    if not secret:
        raise SettingsError(f"Provider {name} takes its webhook secret from {variable}, which is not set.")
    return secret


def load() -> Settings:
    """Reads the settings.

    Raises:
        SettingsError: something is missing or wrong; every problem is named.
    """
    try:
        return Settings()  # pyright: ignore[reportCallIssue]  (pydantic-settings fills the fields)
    except ValidationError as problem:
        lines = [_explain(error["loc"], error["msg"], error["type"]) for error in problem.errors()]
        raise SettingsError("\n".join(lines)) from None


def _explain(loc: tuple[int | str, ...], message: str, kind: str) -> str:
    name = str(loc[0]).upper() if loc else "A setting"
    if kind == "missing":
        return f"{name} is not set. Set it in the environment or in .env."
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"{name} is wrong: {message}."
