# pyright: basic
# torch and transformers are only partly typed.
"""Answering: a batch of prompts, one token at a time, with a key-value cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trainserver.sampling import Sampling
from trainserver.vocabulary import Vocabulary

Stopped = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer; `finish_reason` is `stop` or `length`."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


OnText = Callable[[int, str, tuple[dict[str, Any], ...]], None]
OnDone = Callable[[int, Answer], None]


@dataclass
class _Line:
    """One answer as it grows."""

    sampling: Sampling
    generator: torch.Generator
    ids: list[int] = field(default_factory=list)
    text: str = ""
    told: int = 0
    finish_reason: str | None = None
    # What is known of tokens whose text has not been told yet.
    logprobs: list[dict[str, Any]] = field(default_factory=list)


def ends(model: Any, tokenizer: Any) -> set[int]:
    """The tokens that end an answer: what the model's own settings say, and the end of a turn."""
    found = {tokenizer.eos_token_id}
    configured = model.generation_config.eos_token_id
    found |= set(configured) if isinstance(configured, list) else {configured}
    end_of_turn = tokenizer.convert_tokens_to_ids("<|im_end|>")
    return {token for token in (*found, end_of_turn) if token is not None}


@torch.inference_mode()
def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    samplings: Sequence[Sampling],
    *,
    on_text: OnText = lambda _index, _text, _logprobs: None,
    on_done: OnDone = lambda _index, _answer: None,
    stopped: Stopped = lambda _index: False,
) -> list[Answer]:
    """Answer all prompts together.

    `on_text(i, text, logprobs)` gets each new piece of answer `i`, with the log-probabilities of its tokens
    in OpenAI's shape if its sampling asks for them, and `on_done(i, answer)` its end, which comes when
    that answer ends and not with the longest; `stopped(i)` is asked after every token and ends that answer.
    Text that may turn out to be part of a stop string, and half characters, are held back until they are
    sure.
    """
    lines = [_Line(sampling, _generator(sampling)) for sampling in samplings]
    answers: dict[int, Answer] = {}
    words = Vocabulary(tokenizer)
    final = ends(model, tokenizer)
    ids, mask = (tensor.to(model.device) for tensor in _pad(prompts))
    inputs: dict[str, Any] = {"input_ids": ids, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}
    cache = None
    while True:
        output = model(**inputs, attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = output.past_key_values
        rows = output.logits[:, -1].cpu()
        chosen = [_advance(line, row, final, words) for line, row in zip(lines, rows, strict=True)]
        for i, line in enumerate(lines):
            if line.finish_reason is None and stopped(i):
                line.finish_reason = "stop"
            _tell(i, line, on_text)
            if line.finish_reason is not None and i not in answers:
                answers[i] = Answer(line.text, line.finish_reason, len(prompts[i]), len(line.ids))
                on_done(i, answers[i])
        if len(answers) == len(lines):
            return [answers[i] for i in range(len(lines))]
        inputs = {
            "input_ids": torch.tensor([[token] for token in chosen], device=mask.device),
            "position_ids": inputs["position_ids"][:, -1:] + 1,
        }
        mask = torch.cat([mask, mask.new_ones(len(lines), 1)], dim=1)


def _generator(sampling: Sampling) -> torch.Generator:
    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)
    return generator


def _pad(prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, filled up on the left, both (prompts, longest)."""
    longest = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros(len(prompts), longest, dtype=torch.long)
    for i, prompt in enumerate(prompts):
        ids[i, longest - len(prompt) :] = torch.tensor(prompt)
        mask[i, longest - len(prompt) :] = 1
    return ids, mask


def _choose(logits: torch.Tensor, line: _Line) -> int:
    if line.sampling.temperature == 0:
        return int(logits.argmax())
    chances = torch.softmax(logits.float() / line.sampling.temperature, dim=-1)
    if line.sampling.top_p < 1:
        ordered, places = chances.sort(descending=True)
        ordered[ordered.cumsum(0) - ordered >= line.sampling.top_p] = 0
        chances = torch.zeros_like(chances).scatter(0, places, ordered)
    return int(torch.multinomial(chances, 1, generator=line.generator))


def _advance(line: _Line, logits: torch.Tensor, final: set[int], words: Vocabulary) -> int:
    """Choose the next token of a line and take note of its end; a finished line repeats its last token."""
    if line.finish_reason is not None:
        return line.ids[-1] if line.ids else 0
    token = _choose(logits, line)
    line.ids.append(token)
    if token in final:
        line.finish_reason = "stop"
        return token
    line.text = words.text(line.ids)
    if line.sampling.logprobs is not None:
        line.logprobs.append(words.logprobs(logits, token, line.sampling.logprobs))
    cut = min((at for stop in line.sampling.stop if (at := line.text.find(stop)) >= 0), default=None)
    if cut is not None:
        line.text, line.finish_reason = line.text[:cut], "stop"
    elif len(line.ids) >= line.sampling.max_tokens:
        line.finish_reason = "length"
    return token


def _tell(i: int, line: _Line, on_text: OnText) -> None:
    sure = len(line.text)
    if line.finish_reason is None:
        sure -= _doubtful(line.text, line.sampling.stop)
    if sure > line.told:
        on_text(i, line.text[line.told : sure], tuple(line.logprobs))
        line.told = sure
        line.logprobs.clear()


def _doubtful(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may still change or be cut away."""
    whole = text.rstrip("\ufffd")
    begun = 0
    for stop in stops:
        for length in range(min(len(stop) - 1, len(whole)), begun, -1):
            if whole.endswith(stop[:length]):
                begun = length
                break
    return len(text) - len(whole) + begun
