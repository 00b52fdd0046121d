"""Fine-tuned models side by side on one base: each answer is its own model's, and memory is bounded."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from trainserver.adapters import MERGE_AFTER, Switch
from trainserver.errors import ServingFailed
from trainserver.generation import Answering, generate
from trainserver.lora import add_adapter, load_model, save_adapter
from trainserver.messages import Message
from trainserver.sampling import Sampling
from trainserver.template import encode_prompt, load_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
TOKENS = 3 * MERGE_AFTER
NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def folders(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str | None, Path]:
    """Three adapters that change a lot."""
    made: dict[str | None, Path] = {}
    for seed, name in enumerate(NAMES):
        model = add_adapter(load_model(tiny), seed, None)
        torch.manual_seed(seed)
        for key, weight in model.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=0.3)
        made[name] = tmp_path_factory.mktemp("adapters") / name
        save_adapter(model, made[name], "tiny")
    return made


@pytest.fixture(scope="module")
def prompts(tiny: Path) -> list[list[int]]:
    tokenizer = load_tokenizer(tiny, None)
    return [encode_prompt(tokenizer, [Message("user", "x" * length)]) for length in (3, 40)]


@pytest.fixture(scope="module")
def alone(tiny: Path, folders: dict[str | None, Path], prompts: list[list[int]]) -> dict[Any, str]:
    """The greedy answer of each model to each prompt, computed by peft and without any batch."""
    from peft import PeftModel

    tokenizer, found = load_tokenizer(tiny, None), dict[Any, str]()
    for name in (None, *NAMES):
        model = load_model(tiny)
        model = model if name is None else PeftModel.from_pretrained(model, folders[name]).eval()
        for i, prompt in enumerate(prompts):
            (answer,) = generate(model, tokenizer, [prompt], [Sampling(TOKENS, temperature=0)])
            found[name, i] = answer.text
    assert len({found[name, 0] for name in (None, *NAMES)}) == 4
    return found


@pytest.mark.parametrize("limit", [8, 1])
def test_answers_of_several_models_at_once_are_those_of_each_alone(
    tiny: Path, folders: dict[str | None, Path], prompts: list[list[int]], alone: dict[Any, str], limit: int
):
    model = load_model(tiny)
    switch = Switch(model, limit)
    answering, said = Answering(model, load_tokenizer(tiny, None), switch), {}
    wanted = list(itertools.product((None, *NAMES), range(len(prompts)), range(2)))
    waiting = list(wanted)
    while waiting or answering.busy:
        if waiting:  # one more joins at each token
            name, i, _ = key = waiting.pop()
            adapter = None if name is None else switch.load(folders[name])
            answering.add(key, prompts[i], Sampling(TOKENS, temperature=0), adapter)
        for one in answering.step():
            if one.answer is not None:
                said[one.key] = one.answer.text
    assert said == {key: alone[key[:2]] for key in wanted}


def test_a_model_that_is_asked_alone_is_merged_and_leaves_no_trace(
    tiny: Path, folders: dict[str | None, Path], prompts: list[list[int]], alone: dict[Any, str]
):
    model = load_model(tiny)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    switch = Switch(model)
    answering = Answering(model, load_tokenizer(tiny, None), switch)

    def answer(name: str | None) -> str:
        adapter = None if name is None else switch.load(folders[name])
        answering.add(name, prompts[0], Sampling(TOKENS, temperature=0), adapter)
        (text,) = [one.answer.text for _ in range(TOKENS) for one in answering.step() if one.answer]
        return text

    for name in ("a", "a", None, "b", "a", None):
        assert answer(name) == alone[name, 0]
    assert switch.merged is switch.load(folders["a"])
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_no_more_models_are_kept_in_memory_than_set_and_the_longest_unused_goes(
    tiny: Path, folders: dict[str | None, Path]
):
    switch = Switch(load_model(tiny), 2)
    first = switch.load(folders["a"])
    switch.load(folders["b"])
    assert switch.load(folders["a"]) is first
    switch.load(folders["c"])
    assert list(switch.adapters) == [folders["a"], folders["c"]]


def test_no_more_models_answer_at_once_than_are_kept_in_memory(
    tiny: Path, folders: dict[str | None, Path], prompts: list[list[int]]
):
    model = load_model(tiny)
    switch = Switch(model, 2)
    answering = Answering(model, load_tokenizer(tiny, None), switch)
    endless = Sampling(TOKENS, temperature=0, bias=((256, -100.0), (258, -100.0)))
    for name in NAMES:
        answering.add(name, prompts[0], endless, switch.load(folders[name]))
    at_once = {one.key for _ in range(TOKENS // 2) for one in answering.step()}
    assert at_once == {"a", "b"}
    assert {one.key for _ in range(2 * TOKENS) for one in answering.step() if one.answer} == set(NAMES)


def test_a_folder_that_holds_no_adapter_of_this_base_is_told(tiny: Path, tmp_path: Path):
    from safetensors.torch import save_file

    switch = Switch(load_model(tiny))
    with pytest.raises(ServingFailed, match="cannot be read"):
        switch.load(tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"r": 1, "lora_alpha": 1}')
    save_file({"base_model.model.other.lora_A.weight": torch.ones(1)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ServingFailed, match="no plain LoRA"):
        switch.load(tmp_path)
