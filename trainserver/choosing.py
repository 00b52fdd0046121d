# pyright: basic
# torch and transformers are only partly typed.
"""Choosing the next token of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer

from trainserver import forms
from trainserver.errors import ServingFailed
from trainserver.sampling import Sampling

# So many likeliest tokens nearly always hold all that `top_p` asks for; sorting them alone is quick.
LIKELY = 256


class Shapes:
    """Holds answers of one tokenizer to forms."""

    def __init__(self, tokenizer: Any, ends: Sequence[int], words: int) -> None:
        self._tokenizer = tokenizer
        self._ends = sorted(ends)
        self._words = words
        self._known: LLTokenizer | None = None

    def matcher(self, form: forms.Form) -> LLMatcher:
        """Follows an answer of this form. Raises `ServingFailed`."""
        from llguidance.hf import from_tokenizer

        if self._known is None:
            self._known = from_tokenizer(self._tokenizer, self._words, eos_token=self._ends)
        matcher = LLMatcher(self._known, forms.grammar(form, [self._mark(mark) for mark in forms.CALL_MARKS]))
        if matcher.is_error():
            raise ServingFailed(f"no answer can be held to this form: {matcher.get_error()}")
        return matcher

    def _mark(self, mark: str) -> str:
        """The mark as the grammar of this tokenizer has it: as a token of its own, or as letters."""
        token: int | None = self._tokenizer.convert_tokens_to_ids(mark)
        assert self._known is not None
        if token is None or token == self._tokenizer.unk_token_id or not self._known.is_special_token(token):
            return f'"{mark}"'
        return mark


class Chooser:
    """Chooses the tokens of one answer."""

    def __init__(self, sampling: Sampling, matcher: LLMatcher | None) -> None:
        self._sampling = sampling
        self._matcher = matcher
        self._said: Counter[int] = Counter()
        self._changes = bool(sampling.bias or sampling.presence_penalty or sampling.frequency_penalty)
        self._generator = torch.Generator()
        if sampling.temperature == 0:
            pass
        elif sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(sampling.seed)
        self.greedy = sampling.temperature == 0 and matcher is None and not self._changes
        self.whole = False

    def choose(self, logits: torch.Tensor) -> int:
        """The next token; `logits` is (vocabulary,). `whole` says afterwards whether the form is complete."""
        if self._changes:
            logits = self._changed(logits)
        if self._matcher is not None:
            logits = self._allowed(logits, self._matcher)
        token = self._drawn(logits)
        self._said[token] += 1
        if self._matcher is not None:
            self._matcher.consume_token(token)
            self.whole = self._matcher.is_stopped()
        return token

    def _changed(self, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.float().clone()
        wanted = self._sampling
        for token, amount in wanted.bias:
            if token < len(logits):
                logits[token] += amount
        for token, count in self._said.items():
            logits[token] -= wanted.presence_penalty + count * wanted.frequency_penalty
        return logits

    def _allowed(self, logits: torch.Tensor, matcher: LLMatcher) -> torch.Tensor:
        allowed = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8)
        if matcher.is_error():
            raise ServingFailed(f"the answer cannot be held to its form: {matcher.get_error()}")
        forbidden = torch.ones(len(logits), dtype=torch.bool)
        forbidden[: len(allowed)] = allowed[: len(logits)] == 0
        return logits.float().masked_fill(forbidden, float("-inf"))

    def _drawn(self, logits: torch.Tensor) -> int:
        temperature, top_p = self._sampling.temperature, self._sampling.top_p
        if temperature == 0:
            return int(logits.argmax())
        chances = torch.softmax(logits.float() / temperature, dim=-1)
        if top_p >= 1:
            return self._pick(chances)
        ordered, places = chances.topk(min(LIKELY, len(chances)))
        if float(ordered.sum()) < top_p:
            ordered, places = chances.sort(descending=True)
        ordered[1:][(ordered.cumsum(0) - ordered)[1:] >= top_p] = 0
        return int(places[self._pick(ordered)])

    def _pick(self, chances: torch.Tensor) -> int:
        """A place, as likely as its chance is of all; `torch.multinomial` takes ten times as long."""
        upto = chances.cumsum(0)
        drawn = torch.rand((), generator=self._generator) * upto[-1]
        place = int(torch.searchsorted(upto, drawn, right=True))
        return place if place < len(chances) else int(chances.argmax())
