# pyright: basic
# gguf and transformers are only partly typed.
"""A Llama in a GGUF file, written out as the folder transformers loads in a second.

transformers reads GGUF too, but takes 20 s each time and cannot save the result. The tensors written here
are bit-equal to those it makes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from trainserver.errors import BaseUnavailable

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}


def convert(source: Path, folder: Path) -> None:
    """Write config, tokenizer and float32 weights of the GGUF file `source` into `folder`."""
    import gguf
    from transformers import AutoTokenizer

    reader = gguf.GGUFReader(source)
    if _field(reader, "general.architecture") != "llama":
        raise BaseUnavailable(f"{source} is no Llama; only that architecture is converted.")
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.save_pretrained(folder)
    tied = _write_weights(reader, folder)
    (folder / "config.json").write_text(json.dumps(_config(reader, tokenizer, tied), indent=2) + "\n")
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    (folder / "generation_config.json").write_text(json.dumps(ends) + "\n")


def _field(reader: Any, key: str) -> Any:
    field = reader.fields.get(key)
    return None if field is None else field.contents()


def _write_weights(reader: Any, folder: Path) -> bool:
    """Returns whether the output layer shares the embedding's weights."""
    import gguf
    import numpy
    from safetensors.numpy import save_file

    heads = _field(reader, "llama.attention.head_count")
    key_heads = _field(reader, "llama.attention.head_count_kv") or heads
    weights = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        match = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.weight", tensor.name)
        if match is None or match[2] not in NAMES:
            raise BaseUnavailable(f"The weights hold a tensor {tensor.name!r} that a Llama does not have.")
        if match[2] in ("attn_q", "attn_k"):
            values = _unpermute(values, heads if match[2] == "attn_q" else key_heads)
        layer = f"model.layers.{match[1]}." if match[1] else ""
        weights[f"{layer}{NAMES[match[2]]}.weight"] = numpy.ascontiguousarray(values, dtype=numpy.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return "lm_head.weight" not in weights


def _unpermute(values: Any, heads: int) -> Any:
    """Undo the order that llama.cpp gives the rows of query and key for its rotary embedding."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, half, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _config(reader: Any, tokenizer: Any, tied: bool) -> dict[str, Any]:
    heads = _field(reader, "llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": "float32",
        "vocab_size": len(tokenizer),
        "hidden_size": _field(reader, "llama.embedding_length"),
        "intermediate_size": _field(reader, "llama.feed_forward_length"),
        "num_hidden_layers": _field(reader, "llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": _field(reader, "llama.attention.head_count_kv") or heads,
        "max_position_embeddings": _field(reader, "llama.context_length"),
        "rms_norm_eps": _field(reader, "llama.attention.layer_norm_rms_epsilon"),
        "rope_theta": _field(reader, "llama.rope.freq_base") or 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
