"""A model that is taken elsewhere is the model that answered here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from trainserver import models
from trainserver.adapters import Switch
from trainserver.database import Database
from trainserver.layout import Layout
from trainserver.lora import add_adapter, load_model, save_adapter
from trainserver.model_command import export

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
NAME = "ft:tiny:ftbot:triage:Ab3dEf9h"


@pytest.fixture
def data(tiny: Path, tmp_path: Path) -> Path:
    """A data folder with one model, whose adapter changes a lot."""
    layout = Layout(tmp_path / "data")
    model = add_adapter(load_model(tiny), 1, None)
    torch.manual_seed(1)
    for key, weight in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=0.3)
    layout.epoch("ftjob-1", 1).parent.mkdir(parents=True)
    save_adapter(model, layout.epoch("ftjob-1", 1), "tiny")
    with Database(layout.database).write() as connection:
        folder = layout.relative(layout.epoch("ftjob-1", 1))
        models.add(connection, NAME, "tiny", "tiny", "ftjob-1", folder)
    return layout.root


def test_peft_loads_an_export_and_computes_what_was_answered_here(data: Path, tiny: Path, tmp_path: Path):
    from peft import PeftModel

    folder = tmp_path / "adapters" / "triage"
    assert export([NAME, str(folder), "--data", str(data)]) == 0
    ids = torch.arange(20)[None]
    ours = load_model(tiny)
    switch = Switch(ours)
    with torch.inference_mode():
        base = ours(ids).logits
        switch.use([switch.load(data / "jobs/ftjob-1/epoch-1")])
        answered = ours(ids).logits
        theirs = PeftModel.from_pretrained(load_model(tiny), folder).eval()(ids).logits
    torch.testing.assert_close(answered, theirs)
    assert not torch.allclose(base, theirs, atol=0.1)


@pytest.mark.parametrize(("options", "named"), [((), "tiny"), (("--base", "org/tiny"), "org/tiny")])
def test_an_export_names_its_base_as_vllm_looks_for_it(
    data: Path, tmp_path: Path, options: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "triage"
    assert export([NAME, str(folder), "--data", str(data), *options]) == 0
    assert f"base_model_name_or_path = {named}" in capsys.readouterr().out
    settings = json.loads((folder / "adapter_config.json").read_text())
    assert (settings["peft_type"], settings["base_model_name_or_path"]) == ("LORA", named)
    # vLLM's servers take adapters of rank 16 and less unless told otherwise, and nothing but LoRA matrices.
    assert settings["r"] <= 16
    assert not settings["modules_to_save"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_an_export_overwrites_nothing_and_says_what_is_missing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "there").mkdir()
    assert export([NAME, str(tmp_path / "there"), "--data", str(data)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert export(["ft:nobody", str(tmp_path / "new"), "--data", str(data)]) == 2
    assert "no fine-tuned model 'ft:nobody'" in capsys.readouterr().err
    assert export([NAME, str(tmp_path / "new"), "--data", str(tmp_path)]) == 2
    assert "no data folder" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
