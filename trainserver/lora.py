# pyright: basic
# torch, transformers and peft are only partly typed.
"""A base in memory with a LoRA adapter on it, and the adapter on disk as peft writes it."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from trainserver.errors import BaseUnavailable

# Below so many numbers a model is computed faster by one thread than by several that wait for each other.
SMALL = 2_000_000
RANK = 16
ALPHA = 32
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def load_model(folder: Path, *, four_bit: bool = False) -> Any:
    """A base, ready for what this machine has: float32 on a CPU, bfloat16 on the current GPU.

    On a GPU `four_bit` keeps the base's weights in 4 bits (NF4; needs bitsandbytes); a CPU ignores it,
    because nothing computes with them there. Raises `BaseUnavailable`.
    """
    from transformers import AutoModelForCausalLM

    options = load_options(four_bit=four_bit)
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **options).eval()
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BaseUnavailable(f"The base in {folder} does not load: {error}") from error
    if model.num_parameters() < SMALL:
        torch.set_num_threads(1)
    return model


def load_options(*, four_bit: bool) -> dict[str, Any]:
    """How a base is loaded on this machine. Raises `BaseUnavailable` where a package is missing for it."""
    if not torch.cuda.is_available():
        return {"dtype": torch.float32}
    options: dict[str, Any] = {"dtype": torch.bfloat16, "device_map": {"": torch.cuda.current_device()}}
    if four_bit:
        if find_spec("bitsandbytes") is None:
            raise BaseUnavailable(
                "Training on 4-bit weights needs the package bitsandbytes: pip install bitsandbytes, or take"
                " four_bit = true out of trainserver.toml."
            )
        options["quantization_config"] = _four_bit()
    return options


def _four_bit() -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def add_adapter(model: Any, seed: int, parent: Path | None) -> Any:
    """Put a LoRA adapter on all linear layers of the blocks; it starts as `parent` when there is one."""
    from peft import LoraConfig, PeftModel, get_peft_model

    if parent is not None:
        return PeftModel.from_pretrained(model, parent, is_trainable=True)
    torch.manual_seed(seed)
    present = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    targets = [name for name in LINEARS if name in present] or "all-linear"
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def adapter_weights(model: Any) -> dict[str, Any]:
    """The adapter's own matrices, by peft's names."""
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {key: value.detach().cpu().contiguous() for key, value in weights.items()}


def set_adapter_weights(model: Any, weights: dict[str, Any]) -> None:
    """Put matrices that `adapter_weights` gave back in place."""
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(model, weights)


def save_adapter(model: Any, folder: Path, base_name: str) -> None:
    """Write the adapter as a peft folder, whole or not at all."""
    if folder.is_dir():
        return
    from safetensors.torch import save

    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "adapter_model.safetensors").write_bytes(save(adapter_weights(model), {"format": "pt"}))
    config = model.peft_config["default"]
    config.base_model_name_or_path = base_name
    config.inference_mode = True
    config.save_pretrained(new)
    config.inference_mode = False
    os.replace(new, folder)
