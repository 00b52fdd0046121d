"""Imports run downwards only: each part of the house may reach only what lies below it.

Every import statement counts, also inside functions and under TYPE_CHECKING. Imports of our own packages are
followed module by module, so that a floor cannot be reached through a third module. Other people's packages
(Slack, torch, …) are checked where the import is written and, through followed imports, where it is loaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ("bot", "demo", "handlers", "localslack", "storage", "trainserver", "tuning")

# part of the house → the parts (of the house) it may import, itself included
MAY_IMPORT: dict[str, set[str]] = {
    "bot": {"bot", "handlers", "tuning", "storage"},
    "handlers": {"handlers", "tuning", "storage"},
    "tuning": {"tuning", "storage"},
    "tuning.datasets": {"tuning.datasets"},
    "storage": {"storage"},
    "trainserver": {"trainserver", "tuning.datasets"},
    "localslack": {"localslack"},
    "demo": {"demo"},
}
# part of the house → other people's packages that it must not reach
MUST_NOT_REACH: dict[str, set[str]] = {
    "bot": {"torch", "transformers", "peft", "fastapi"},
    "handlers": {"torch", "transformers", "peft", "sqlite_utils", "apscheduler"},
    "tuning": {"slack_bolt", "slack_sdk", "sqlite_utils", "apscheduler", "torch", "transformers", "peft"},
    "tuning.datasets": {"openai", "slack_bolt", "slack_sdk", "sqlite_utils", "torch", "transformers", "peft"},
    "storage": {"openai", "slack_bolt", "slack_sdk", "torch", "transformers", "peft"},
    "localslack": {"openai", "slack_bolt", "slack_sdk", "torch", "transformers", "peft"},
    "demo": {"openai", "slack_bolt", "slack_sdk", "torch", "transformers", "peft"},
}
# only these modules of trainserver may load the training libraries, in processes of their own
HEAVY = {"torch", "transformers", "peft", "safetensors", "gguf"}
# other people's packages whose import belongs to one floor: written directly nowhere else
ONLY_WRITTEN_IN: dict[str, set[str]] = {
    "slack_bolt": {"handlers", "bot"},
    "slack_sdk": {"handlers", "bot"},
    "sqlite_utils": {"storage"},
    "apscheduler": {"bot"},
    "openai": {"tuning"},
    "torch": {"trainserver"},
    "transformers": {"trainserver"},
    "peft": {"trainserver"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for part in HOUSE
    for path in sorted((ROOT / part).rglob("*.py"))
    if "__pycache__" not in path.parts
}


def part_of(module: str) -> str:
    return "tuning.datasets" if under(module, "tuning.datasets") else module.split(".")[0]


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@cache
def imports_of(module: str, *, at_load: bool = False) -> frozenset[str]:
    """Full names that the module's import statements load: modules of the house, or others as written.

    With `at_load` only those that run when the module is loaded: outside functions and `if TYPE_CHECKING`.
    """
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text("utf-8"))
    nodes = _run_at_load(tree) if at_load else ast.walk(tree)
    return frozenset(name for node in nodes for name in _names(node, package))


def _names(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield full if full in MODULES else base


def _run_at_load(node: ast.AST) -> Iterator[ast.AST]:
    """Every node whose code runs when the module is loaded, `if __main__` left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for eager in (*child.decorator_list, *child.args.defaults, *child.args.kw_defaults):
                if eager is not None:
                    yield from ast.walk(eager)
        elif not isinstance(child, ast.Lambda) and not _is_guard(child):
            yield child
            yield from _run_at_load(child)


def _is_guard(node: ast.AST) -> bool:
    test = ast.dump(node.test) if isinstance(node, ast.If) else ""
    return "TYPE_CHECKING" in test or "__main__" in test


@cache
def reached(module: str, *, at_load: bool = False) -> dict[str, tuple[str, ...]]:
    """Everything that importing `module` may load → the way there through modules of the house."""
    ways: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, ...]] = [(module,)]
    while waiting:
        way = waiting.pop()
        for name in sorted(imports_of(way[-1], at_load=at_load)):
            if name not in ways:
                ways[name] = (*way, name)
                if name in MODULES:
                    waiting.append(ways[name])
    return ways


def is_of_the_house(name: str) -> bool:
    return name.split(".")[0] in HOUSE


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_floor_reaches_only_what_lies_below(part: str) -> None:
    wrong = [
        " → ".join(way)
        for module in MODULES
        if part_of(module) == part
        for name, way in reached(module).items()
        if is_of_the_house(name)
        and not any(under(name, allowed) for allowed in MAY_IMPORT[part])
        # `tuning` itself is loaded on the way to `tuning.datasets`; an empty package is no floor
        and not (name == "tuning" and not imports_of("tuning") and "tuning.datasets" in MAY_IMPORT[part])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part", MUST_NOT_REACH)
def test_a_floor_does_not_reach_foreign_packages_of_another(part: str) -> None:
    wrong = [
        " → ".join(way)
        for module in MODULES
        if part_of(module) == part
        for name, way in reached(module).items()
        if name.split(".")[0] in MUST_NOT_REACH[part] and not allowed_through_storage(name, way)
    ]
    assert not wrong, "\n".join(wrong)


def allowed_through_storage(name: str, way: tuple[str, ...]) -> bool:
    """The floors above hold the store, which is made of sqlite-utils: reached, but written in storage."""
    return name.split(".")[0] == "sqlite_utils" and part_of(way[-2]) == "storage"


@pytest.mark.parametrize("package", ONLY_WRITTEN_IN)
def test_a_foreign_package_is_written_on_its_own_floor_only(package: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        for name in imports_of(module)
        if name.split(".")[0] == package and module.split(".")[0] not in ONLY_WRITTEN_IN[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_server_process_of_trainserver_does_not_load_the_training_libraries() -> None:
    """It answers HTTP; training and serving happen in processes that it starts by module name."""
    wrong = [
        " → ".join(way)
        for name, way in reached("trainserver.__main__", at_load=True).items()
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_of_the_house_imports_the_tests_or_tools() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        for name in imports_of(module)
        if name.split(".")[0] in {"tests", "tools", "bench"}
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_reads_the_environment_at_import() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        for node in _run_at_load(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in {"environ", "getenv"}
    ]
    assert not wrong, "\n".join(wrong)


def test_these_tests_see_every_package_and_its_imports() -> None:
    """A test that reads nothing cannot fail."""
    assert {part_of(module) for module in MODULES} == set(MAY_IMPORT)
    assert {name.split(".")[0] for name in reached("bot.__main__")} >= {"handlers", "tuning", "storage"}
    assert "slack_bolt" in {name.split(".")[0] for name in reached("bot.__main__")}
