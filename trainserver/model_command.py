"""`python -m trainserver export|release MODEL`: what a person does with a fine-tuned model beside the API."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from trainserver import models
from trainserver.database import Database
from trainserver.errors import TrainserverError
from trainserver.layout import Layout

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"


class CannotDo(TrainserverError):
    """The command cannot be done; the text says why."""


def export(arguments: list[str]) -> int:
    """Write a model as a plain peft folder; 2 when it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="trainserver export", description="Write a fine-tuned model as a plain peft folder."
    )
    parser.add_argument("model")
    parser.add_argument("folder", type=Path, help="is made; vLLM takes its name for the model's")
    parser.add_argument("--data", type=Path, required=True, help="the server's data folder")
    parser.add_argument(
        "--base", help="what base_model_name_or_path says: the name that vLLM serves the base under"
    )
    options = parser.parse_args(arguments)
    return _attempt(lambda: _export(Layout(options.data), options.model, options.folder, options.base))


def release(arguments: list[str]) -> int:
    """Let a held model answer; 2 when there is none of that name."""
    parser = argparse.ArgumentParser(
        prog="trainserver release", description="Let a model answer that a safety screen holds."
    )
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True, help="the server's data folder")
    options = parser.parse_args(arguments)
    return _attempt(lambda: _release(Layout(options.data), options.model))


def _attempt(work: Callable[[], str]) -> int:
    try:
        print(work())
    except (CannotDo, OSError) as error:
        print(f"trainserver: {error}", file=sys.stderr)
        return 2
    return 0


def _database(layout: Layout) -> Database:
    if not layout.database.is_file():
        raise CannotDo(f"{layout.root} is no data folder of a trainserver (no {layout.database.name}).")
    return Database(layout.database)


def _release(layout: Layout, name: str) -> str:
    with _database(layout).write() as connection:
        if not models.release(connection, name):
            raise CannotDo(f"There is no model {name!r} here.")
    return f"{name} answers now, and so do the checkpoints of its job."


def _export(layout: Layout, name: str, folder: Path, base: str | None) -> str:
    with _database(layout).read() as connection:
        model = models.find(connection, name)
    if model is None:
        raise CannotDo(f"There is no fine-tuned model {name!r} here.")
    if folder.exists():
        raise CannotDo(f"{folder} exists already; name a folder that does not.")
    source = layout.root / model.folder
    settings = json.loads((source / SETTINGS).read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = base or model.base
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    shutil.copyfile(source / WEIGHTS, new / WEIGHTS)
    (new / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    os.replace(new, folder)
    return f"{folder}: rank {settings['r']}, base_model_name_or_path = {settings['base_model_name_or_path']}"
