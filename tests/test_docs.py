"""What is written for people is true: commands exist, links lead somewhere, lists equal what they list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from bot.cli import main as ftbot
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "localslack").rglob("*.md")),
    *sorted((ROOT / "tests" / "contract").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
FIRST_PAGES = ("README.md", "docs/tutorial.md", "docs/how-to/install.md", "docs/reference/localslack.md")
HERE = "here"
RUN_BY = {
    "make demo": "tests/long/test_demo.py::test_the_demo_trains_a_model_that_beats_its_base",
    "make test": "runs this test",
    "make demo DEMO=--manual": "tests/scenario/test_demo.py"
    "::test_the_first_line_is_the_page_and_ctrl_c_stops_everything",
    "pipx install .": "tests/test_wheel.py::test_installed_ftbot_prints_its_manifest",
    "ftbot --version": HERE,
    "ftbot manifest": HERE,
    "ftbot setup": "tests/unit/bot/test_setup.py"
    "::test_setup_asks_again_after_a_wrong_token_and_ends_with_the_first_event",
    "ftbot doctor": "tests/scenario/test_doctor.py::test_all_is_well_where_all_is_well",
    "ftbot run": "tests/scenario/test_main_job.py"
    "::test_a_drop_is_checked_trained_scored_and_answers_in_one_channel",
    "podman build -t ftbot -f packaging/Containerfile .": "tests/unit/packaging/test_packaging.py"
    "::test_nothing_private_goes_into_the_image_and_all_of_the_package_does",
    "podman run -d --name ftbot --restart always --env-file .env -v ftbot-data:/data ftbot": "tests/unit/"
    "packaging/test_packaging.py::test_the_image_runs_the_bot_as_a_person_without_rights_and_takes_signals",
    "python -m localslack --data ./workspace": "tests/unit/localslack/test_program.py"
    "::test_it_says_where_it_is_and_ends_cleanly",
}
"""Each command of the pages that people read first, and the test that runs what it runs."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell_lines(text: str) -> Iterator[str]:
    for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip().removeprefix("$ ").split("  #")[0]


def problem_with_ftbot(words: list[str]) -> str | None:
    """Why the words after `ftbot` are no command of it, or None."""
    command: click.Command = ftbot
    known = {"--help", "--version"}
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.commands.get(words[0])
        if inner is None:
            return f"ftbot has no command {words[0]!r}"
        command, words = inner, words[1:]
    for parameter in command.params:
        known.update(getattr(parameter, "opts", ()))
    if command.context_settings.get("ignore_unknown_options"):
        return None
    unknown = [
        word
        for word in words
        if word.startswith("--") and word.split("=")[0] not in {*known, "--help", "--version"}
    ]
    return f"ftbot {command.name} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_on_a_page_exists(page: Path) -> None:
    for line in shell_lines(page.read_text("utf-8")):
        for part in re.split(r"\s*(?:&&|\||;)\s*", line):
            words = part.split()
            while words and ("=" in words[0] or words[0] in {"nohup", "time"}):
                words = words[1:]
            if words[:1] == ["ftbot"]:
                assert problem_with_ftbot(words[1:]) is None, line
            elif words[:1] == ["make"]:
                targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
                assert set(targets) <= MAKE_TARGETS, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_within_a_sentence_exists_too(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for words in re.findall(r"`ftbot ([a-z][^`]*)`", text):
        if words != "ready":  # what it prints
            assert problem_with_ftbot(words.split()) is None, f"ftbot {words}"


@pytest.mark.parametrize("name", FIRST_PAGES)
def test_every_command_of_the_first_pages_is_run_by_a_test(name: str) -> None:
    for line in shell_lines((ROOT / name).read_text("utf-8")):
        assert line.strip() in RUN_BY, f"{name}: no test is named for: {line}"


@pytest.mark.parametrize("place", sorted({place for place in RUN_BY.values() if "::" in place}))
def test_the_tests_named_for_commands_are_there(place: str) -> None:
    file, _, test = place.partition("::")
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.M), place


@pytest.mark.parametrize("line", [line for line, place in RUN_BY.items() if place == HERE])
def test_a_command_that_only_prints_prints_something(line: str) -> None:
    said = CliRunner().invoke(ftbot, line.split()[1:])
    assert said.exit_code == 0
    assert said.output.strip()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_on_a_page_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_module_named_on_a_page_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for named in re.findall(r"`((?:bench|examples|packaging|tests|tools)/[\w./-]+)`", text):
        assert (ROOT / named).exists(), named
    for module in re.findall(r"\bpython -m (\w[\w.]*)", text):
        found = ROOT.joinpath(*module.split("."))
        assert found.with_suffix(".py").is_file() or (found / "__main__.py").is_file(), module


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+\s+(.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_a_decision_says_context_choice_and_consequences(decision: Path) -> None:
    text = decision.read_text("utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", decision.name)
    assert text.startswith(f"# {int(decision.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.M) == ["Context", "Choice", "Consequences"]
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_without_gap_or_double() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_changelog_follows_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert text.startswith("# Changelog\n")
    releases = re.findall(r"^## (.*)$", text, re.M)
    assert releases[0] == "[Unreleased]"
    for release in releases[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release)
    assert set(re.findall(r"^### (.*)$", text, re.M)) <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }


def test_each_scope_and_event_of_the_manifest_has_its_reason() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    text = (ROOT / "docs" / "reference" / "scopes.md").read_text("utf-8")
    tables = {
        heading: dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", body, re.M))
        for heading, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    }
    assert sorted(tables["Bot token scopes"]) == manifest["oauth_config"]["scopes"]["bot"]
    assert sorted(tables["Bot events"]) == manifest["settings"]["event_subscriptions"]["bot_events"]
    reasons = [*tables["Bot token scopes"].values(), *tables["Bot events"].values()]
    assert all(len(reason) > 10 for reason in reasons)


def test_the_example_settings_are_the_settings() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = {match[1] for line in lines if (match := re.match(r"(?:# )?([A-Z][A-Z_]+)=", line))}
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_settings_page_names_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", text, re.M))
    assert set(told) == {name.upper() for name in Settings.model_fields}
    for name, setting in Settings.model_fields.items():
        unset = setting.is_required() or setting.default in (None, "")
        default = "" if unset else f"`{str(setting.default).removesuffix('.0')}`"
        shown = told[name.upper()]
        assert shown == default if default else not shown.startswith("`"), name


def test_pictures_are_made_by_the_script_shown_on_a_page_and_small() -> None:
    script = (ROOT / "tools" / "screenshots.py").read_text("utf-8")
    made = {f"{name}.png" for name in re.findall(r'\.photograph\("([\w-]+)"', script)}
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    assert set(pictures) == made
    assert [name for name in pictures if f"images/{name})" not in pages] == []
    assert max(pictures.values()) <= 200_000


def test_readme_shows_both_commands_on_its_first_screen() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:40])
    assert "make demo" in first_screen
    assert "make test" in first_screen
