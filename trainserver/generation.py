# pyright: basic
# torch and transformers are only partly typed.
"""Answering: rows that join and leave a batch between tokens, over a key-value cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trainserver import kvcache, memory
from trainserver.adapters import Adapter, Switch
from trainserver.choosing import Chooser, Shapes
from trainserver.errors import ServingFailed
from trainserver.sampling import Sampling
from trainserver.speech import Speech
from trainserver.vocabulary import Vocabulary

# So many tokens of prompts go through the model before those who are being answered have their next token.
CHUNK = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer; `finish_reason` is `stop` or `length`."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the answer `key`, or its end, which is `answer` or the reason why there is none.

    `logprobs` are the tokens of the piece in OpenAI's shape, if its sampling asks for them.
    """

    key: Any
    text: str
    logprobs: tuple[dict[str, Any], ...] = ()
    answer: Answer | None = None
    error: str | None = None


@dataclass(eq=False)
class _Row:
    """One answer as it grows."""

    key: Any
    prompt: Sequence[int]
    sampling: Sampling
    adapter: Adapter | None
    chooser: Chooser
    speech: Speech
    tokens: int = 0
    finish_reason: str | None = None
    error: str | None = None
    # What is known of tokens whose text has not been told yet.
    logprobs: list[dict[str, Any]] = field(default_factory=list)


def ends(model: Any, tokenizer: Any) -> set[int]:
    """The tokens that end an answer: what the model's own settings say, and the end of a turn."""
    found = {tokenizer.eos_token_id}
    configured = model.generation_config.eos_token_id
    found |= set(configured) if isinstance(configured, list) else {configured}
    end_of_turn = tokenizer.convert_tokens_to_ids("<|im_end|>")
    return {token for token in (*found, end_of_turn) if token is not None}


class _Group:
    """Rows that go through the model together. Shorter ones are filled up on the left."""

    def __init__(self, model: Any, rows: list[_Row]) -> None:
        self.rows = rows
        self.cache, self.plain = kvcache.new(model)
        self.length = 0
        longest = max(len(row.prompt) for row in rows)
        self.pads = [longest - len(row.prompt) for row in rows]
        filled = [[0] * pad + list(row.prompt) for pad, row in zip(self.pads, rows, strict=True)]
        self.coming = torch.tensor(filled, device=model.device)

    def forward(self, model: Any) -> torch.Tensor | None:
        """Logits of the next tokens, (rows, vocabulary); None while there is more of a prompt to read."""
        ids, self.coming = self.coming[:, :CHUNK], self.coming[:, CHUNK:]
        end = self.length + ids.shape[1]
        given: dict[str, Any] = {"input_ids": ids}
        if any(self.pads):
            places = (
                torch.arange(end, device=ids.device) - torch.tensor(self.pads, device=ids.device)[:, None]
            )
            given |= {"attention_mask": places >= 0, "position_ids": places[:, self.length :].clamp(min=0)}
        output = model(**given, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.length = end
        return None if self.coming.shape[1] else output.logits[:, -1].cpu()

    def keep(self, model: Any, rows: Sequence[_Row]) -> None:
        """Go on with these of the rows."""
        places = [i for i, row in enumerate(self.rows) if row in rows]
        if self.plain and self.length:
            self._take(model, [(self, places)])
        else:
            self.pads = [self.pads[i] for i in places]
            self.coming = self.coming[places]
            self.rows = [self.rows[i] for i in places]

    def join(self, model: Any, other: _Group) -> None:
        """Take the rows of another group in; both have read their prompts."""
        self._take(model, [(one, range(len(one.rows))) for one in (self, other)])

    def _take(self, model: Any, parts: Sequence[tuple[_Group, Sequence[int]]]) -> None:
        lengths = [group.length - group.pads[i] for group, places in parts for i in places]
        length = max(lengths)
        self.cache = kvcache.joined(model, [(group.cache, places) for group, places in parts], length)
        self.coming = torch.cat([group.coming[list(places)] for group, places in parts])
        self.rows = [group.rows[i] for group, places in parts for i in places]
        self.length, self.pads = length, [length - one for one in lengths]


class Answering:
    """Gives answers together: each `step` is one pass of the model, and between steps answers come and go.

    Whoever waits longest is next; the prompts of newcomers and the answers that are being given take turns.
    """

    def __init__(
        self, model: Any, tokenizer: Any, switch: Switch | None = None, rows: int | None = None
    ) -> None:
        self.model = model
        more = 1 if model.device.type == "cpu" else memory.GPU_ANSWERS
        self._most = rows or memory.ANSWERS * more
        self._tokens = memory.ANSWER_TOKENS * more
        self._switch = switch
        self._words = Vocabulary(tokenizer)
        self._ends = ends(model, tokenizer)
        self._shapes = Shapes(tokenizer, list(self._ends), model.config.get_text_config().vocab_size)
        self._waiting: deque[_Row] = deque()
        self._groups: deque[_Group] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is an answer to be given."""
        return bool(self._waiting or self._groups)

    def add(
        self, key: Any, prompt: Sequence[int], sampling: Sampling, adapter: Adapter | None = None
    ) -> None:
        """Ask for an answer; its pieces will carry `key`."""
        matcher = None if sampling.form is None else self._shapes.matcher(sampling.form)
        speech = Speech(self._words, sampling.stop)
        self._waiting.append(_Row(key, prompt, sampling, adapter, Chooser(sampling, matcher), speech))

    def drop(self, key: Any) -> None:
        """Nobody wants this answer any more."""
        self._waiting = deque(row for row in self._waiting if row.key != key)
        for group in list(self._groups):
            self._settle(group, [row for row in group.rows if row.key != key])

    def clear(self) -> None:
        """Give up all answers."""
        self._waiting.clear()
        self._groups.clear()

    @torch.inference_mode()
    def step(self) -> list[Said]:
        """One pass of the model; gives what can be told after it."""
        self._admit()
        if not self._groups:
            return []
        group = self._groups.popleft()
        self._groups.append(group)
        if self._switch is not None:
            self._switch.use([row.adapter for row in group.rows])
        logits = group.forward(self.model)
        if logits is None:
            return []
        chosen = self._chosen(group.rows, logits)
        for row, row_logits, token in zip(group.rows, logits, chosen, strict=True):
            self._advance(row, row_logits, token)
        said = [one for row in group.rows if (one := self._told(row)) is not None]
        group.coming = torch.tensor(chosen, device=self.model.device)[:, None]
        self._settle(group, [row for row in group.rows if row.finish_reason is None])
        self._together()
        return said

    def _admit(self) -> None:
        """Let those who wait in, as long as there is room in the batch, in memory and in one pass."""
        active = [row for group in self._groups for row in group.rows]
        coming: list[_Row] = []
        while self._waiting and self._fits([*active, *coming, self._waiting[0]]):
            row = self._waiting[0]
            longest = max(len(one.prompt) for one in (*coming, row))
            if coming and longest * (len(coming) + 1) > CHUNK:
                break
            coming.append(self._waiting.popleft())
        if coming:
            self._begin(coming)

    def _fits(self, rows: Sequence[_Row]) -> bool:
        longest = max(len(row.prompt) + row.sampling.max_tokens for row in rows)
        adapters = {row.adapter for row in rows} - {None}
        return len(rows) == 1 or (
            len(rows) <= self._most
            and len(rows) * longest <= self._tokens
            and (self._switch is None or len(adapters) <= self._switch.limit)
        )

    def _begin(self, rows: list[_Row]) -> None:
        group = _Group(self.model, rows)
        groups = [group] if group.plain else [_Group(self.model, [row]) for row in rows]
        self._groups.extendleft(reversed(groups))

    def _settle(self, group: _Group, rows: Sequence[_Row]) -> None:
        if not rows:
            self._groups.remove(group)
        elif len(rows) < len(group.rows):
            group.keep(self.model, rows)

    def _together(self) -> None:
        """Join the groups that have read their prompts."""
        ready = [group for group in self._groups if group.plain and group.rows[0].tokens]
        for other in ready[1:]:
            ready[0].join(self.model, other)
            self._groups.remove(other)

    def _chosen(self, rows: Sequence[_Row], logits: torch.Tensor) -> list[int]:
        likeliest = logits.argmax(-1).tolist() if any(row.chooser.greedy for row in rows) else ()
        return [
            likeliest[i] if row.chooser.greedy else self._choice(row, logits[i]) for i, row in enumerate(rows)
        ]

    def _choice(self, row: _Row, logits: torch.Tensor) -> int:
        try:
            return row.chooser.choose(logits)
        except ServingFailed as error:
            row.error, row.finish_reason = str(error), "error"
            return next(iter(self._ends))

    def _advance(self, row: _Row, logits: torch.Tensor, token: int) -> None:
        """Let the row say `token` and take note of its end."""
        row.tokens += 1
        if row.error is not None:
            return
        if token in self._ends:
            row.finish_reason = "stop"
            return
        row.speech.add(token)
        if row.sampling.logprobs is not None:
            row.logprobs.append(self._words.logprobs(logits, token, row.sampling.logprobs))
        if row.speech.stopped or row.chooser.whole:
            row.finish_reason = "stop"
        elif row.tokens >= row.sampling.max_tokens:
            row.finish_reason = "length"

    def _told(self, row: _Row) -> Said | None:
        answer = None
        if row.error is not None:
            return Said(row.key, "", error=row.error)
        if row.finish_reason is not None:
            row.speech.end()
            answer = Answer(row.speech.text, row.finish_reason, len(row.prompt), row.tokens)
        elif not row.sampling.stream:
            return None
        text = row.speech.fresh(ended=answer is not None)
        if not text and answer is None:
            return None
        logprobs = tuple(row.logprobs)
        row.logprobs.clear()
        return Said(row.key, text, logprobs, answer)


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    samplings: Sequence[Sampling],
    *,
    on_said: Callable[[Said], None] = lambda _said: None,
) -> list[Answer]:
    """Answer all prompts, many at once; `on_said` gets each piece, whose key is the prompt's number."""
    answering = Answering(model, tokenizer)
    for i, (prompt, sampling) in enumerate(zip(prompts, samplings, strict=True)):
        answering.add(i, prompt, sampling)
    answers: dict[int, Answer] = {}
    while answering.busy:
        for said in answering.step():
            on_said(said)
            if said.answer is not None:
                answers[said.key] = said.answer
    return [answers[i] for i in range(len(prompts))]
