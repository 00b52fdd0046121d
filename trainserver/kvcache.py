# pyright: basic
# torch and transformers are only partly typed.
"""Key-value caches that rows join and leave while they are computed.

A cache holds tensors of (rows, heads, tokens, size of a head) for each layer, filled up on the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64


class Layer(DynamicLayer):
    """A layer that grows in place. transformers' own copies all it holds for every token."""

    def update(self, key_states: Any, value_states: Any, *_args: Any, **_options: Any) -> tuple[Any, Any]:
        """Add states of (rows, heads, new tokens, size); gives all there are."""
        begin = self.get_seq_length() if self.is_initialized else 0
        end = begin + key_states.shape[-2]
        if not self.is_initialized or end > self.held[0].shape[-2]:
            self._grow((key_states, value_states), end)
        for held, new in zip(self.held, (key_states, value_states), strict=True):
            held[:, :, begin:end] = new
        self.keys, self.values = (held[:, :, :end] for held in self.held)
        return self.keys, self.values

    def _grow(self, new: tuple[Any, Any], end: int) -> None:
        old: Any = (self.keys, self.values) if self.is_initialized else None
        if old is None:
            self.lazy_initialization(*new)
        room = end + max(ROOM, end // 2)
        self.held = [one.new_zeros(*one.shape[:2], room, one.shape[3]) for one in new]
        for held, kept in zip(self.held, old or (), strict=False):
            held[:, :, : kept.shape[2]] = kept

    def take(self, parts: Sequence[tuple[Layer, Sequence[int]]], length: int) -> None:
        """Hold the last `length` tokens of the named rows of other layers."""
        like: Any = parts[0][0]
        self.lazy_initialization(like.keys, like.values)
        count = sum(len(rows) for _, rows in parts)
        self.held = []
        for name in ("keys", "values"):
            first = getattr(parts[0][0], name)
            held = first.new_zeros(count, first.shape[1], length + ROOM, first.shape[3])
            begin = 0
            for layer, rows in parts:
                kept = getattr(layer, name)[list(rows)][:, :, -length:]
                held[begin : begin + len(rows), :, length - kept.shape[2] : length] = kept
                begin += len(rows)
            self.held.append(held)
        self.keys, self.values = (held[:, :, :length] for held in self.held)


def new(model: Any) -> tuple[Any, bool]:
    """An empty cache for `model`, and whether caches like it can be put together.

    Those of models with sliding windows or recurrent layers cannot; they stay transformers' own.
    """
    cache = DynamicCache(config=model.config)
    plain = bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)
    if plain:
        cache.layers[:] = [Layer() for _ in cache.layers]
    return cache, plain


def joined(model: Any, parts: Sequence[tuple[Any, Sequence[int]]], length: int) -> Any:
    """A cache of the named rows of other caches, with the last `length` tokens of each."""
    cache, _ = new(model)
    for i, layer in enumerate(cache.layers):
        layer.take([(other.layers[i], rows) for other, rows in parts], length)
    return cache
