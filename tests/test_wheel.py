"""The wheel works where there is no checkout: built, installed elsewhere, used from an empty folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

from localslack.manifest import parse

ROOT = Path(__file__).parents[1]
PACKAGES = {"bot", "demo", "handlers", "localslack", "storage", "trainserver", "tuning"}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files that git knows and with the installed build backend (no network)."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def ftbot(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ftbot` in an environment of its own, which sees this one's dependencies but not this checkout."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    binaries = home / ("Scripts" if sys.platform == "win32" else "bin")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    installed = run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        binaries / "python",
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=home,
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    # A .pth line adds a folder without reading the .pth files in it, so the editable install stays unseen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    where = run(binaries / "python", "-c", "import bot, localslack; print(bot.__file__)", cwd=home)
    assert where.stdout.startswith(str(home)), where.stdout + where.stderr
    return binaries / "ftbot"


def test_the_wheel_holds_the_packages_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == PACKAGES | {"ftbot_data"}
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest"))]
    assert not [name for name in names if name.endswith((".db", ".env", ".pyc"))]


def test_the_wheel_holds_the_data_that_programs_need(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "ftbot_data/manifest.yml" in names
    assert {f"ftbot_data/examples/{path.name}" for path in (ROOT / "examples").iterdir()} <= names
    assert "localslack/specs/slack-blocks.schema.json" in names
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    kept = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert kept - names == set()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_installed_ftbot_prints_its_manifest(ftbot: Path, tmp_path: Path) -> None:
    done = run(ftbot, "manifest", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    parse(yaml.safe_load(done.stdout))


def test_installed_ftbot_checks_a_file(ftbot: Path, tmp_path: Path) -> None:
    good = run(ftbot, "check", ROOT / "examples" / "triage.jsonl", cwd=tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\n', "utf-8")
    done = run(ftbot, "check", bad, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr


def test_installed_ftbot_explains_wrong_usage(ftbot: Path, tmp_path: Path) -> None:
    assert run(ftbot, "--help", cwd=tmp_path).returncode == 0
    assert run(ftbot, "chek", cwd=tmp_path).returncode == 2
