"""Which GPUs there are to train on, asked of NVIDIA's own program: the server imports no torch.

CUDA_VISIBLE_DEVICES counts, by number or by UUID. Where PyTorch's CPU build is installed there are none.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

ASK = ("--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
SECONDS = 20
MB = 1024**2


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU and its memory in bytes."""

    index: str
    uuid: str
    memory: int


@cache
def visible() -> tuple[Gpu, ...]:
    """The GPUs that a training process would see, in its order."""
    program = shutil.which("nvidia-smi")
    if program is None or _cpu_build():
        return ()
    try:
        done = subprocess.run([program, *ASK], capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return chosen(_read(done.stdout), os.environ.get("CUDA_VISIBLE_DEVICES"))


def _cpu_build() -> bool:
    try:
        return importlib.metadata.version("torch").endswith("+cpu")
    except importlib.metadata.PackageNotFoundError:
        return True


def _read(text: str) -> list[Gpu]:
    rows = [[part.strip() for part in line.split(",")] for line in text.splitlines()]
    return [Gpu(row[0], row[1], int(row[2]) * MB) for row in rows if len(row) == 3 and row[2].isdigit()]


def chosen(found: list[Gpu], setting: str | None) -> tuple[Gpu, ...]:
    """Those of `found` that CUDA_VISIBLE_DEVICES names; as CUDA does, up to the first that is not there."""
    if setting is None:
        return tuple(found)
    taken: list[Gpu] = []
    for name in filter(None, (part.strip() for part in setting.split(","))):
        gpu = next((one for one in found if one.index == name or one.uuid.startswith(name)), None)
        if gpu is None:
            break
        taken.append(gpu)
    return tuple(taken)
