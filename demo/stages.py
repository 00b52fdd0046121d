"""The stages of the main job, each of which must really be seen."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from demo.data import Files
from demo.errors import NotSeen
from demo.person import Person, words
from demo.provider import ProviderTruth
from demo.screen import Screen
from demo.summary import Summary

Json = dict[str, Any]

CHECK_SECONDS = 60.0
FORM_SECONDS = 15.0
TRAIN_SECONDS = 480.0
ANSWER_SECONDS = 60.0
ASKED = 2
"""How many validation rows are asked in the thread."""


@dataclass
class Stages:
    """One run through the main job as ``person`` in ``channel``."""

    person: Person
    truth: ProviderTruth
    screen: Screen
    files: Files
    channel: str
    summary: Summary

    @asynccontextmanager
    async def stage(self, name: str, title: str) -> AsyncGenerator[None]:
        """Times a stage and names it."""
        self.screen.stage(title)
        begun = time.monotonic()
        yield
        self.summary.stages[name] = time.monotonic() - begun

    async def run(self) -> None:
        """All stages in order.

        Raises:
            NotSeen: a stage did not show what it must.
            ProgramDied: a program ended.
        """
        async with self.stage("broken", "A broken file"):
            await self._broken()
        async with self.stage("check", "Training and validation data"):
            await self._drop()
        async with self.stage("start", "The form"):
            await self._start()
        async with self.stage("train", "Training, safety and score"):
            await self._train()
        async with self.stage("chat", "Talking to the new model"):
            await self._chat()

    async def _broken(self) -> None:
        ts = await self.person.drop(self.channel, self.files.broken)
        self.screen.did(f"drops {self.files.broken.name} into #tuning")
        await self._verdict(ts, "Not ready", "x")

    async def _drop(self) -> None:
        for path in (self.files.validation, self.files.training):
            ts = await self.person.drop(self.channel, path)
            self.screen.did(f"drops {path.name} into #tuning")
            if path == self.files.validation:
                await self._verdict(ts, ("Ready", "Not ready"), None)
            else:
                await self._verdict(ts, "Ready to train", None)
        count = len(self.files.training.read_text("utf-8").splitlines())
        self.summary.examples = count
        self.summary.validation_rows = len(self.files.validation.read_text("utf-8").splitlines())
        self.summary.notes += self.files.notes

    async def _verdict(self, ts: str, begins: str | tuple[str, ...], reaction: str | None) -> Json:
        async def look() -> Json | None:
            replies = (await self.person.thread(self.channel, ts))[1:]
            return next((m for m in replies if str(m.get("text", "")).startswith(begins)), None)

        card = await self.person.wait(f"the check card ({begins})", look, CHECK_SECONDS)
        if reaction is not None:

            async def reacted() -> bool:
                return reaction in await self.person.reactions(self.channel, ts)

            await self.person.wait(f"the reaction {reaction}", reacted, CHECK_SECONDS)
        self.screen.message(card)
        return card

    async def _start(self) -> None:
        await self._open_form()
        await self._submit_form()

    async def _open_form(self) -> None:
        await self.person.command(self.channel, "/ft start")
        self.screen.did("types /ft start")

        async def look() -> Json | None:
            view = await self.person.form()
            return view if view and _block(view, "dataset") else None

        self.form = await self.person.wait("the form with its data filled in", look, FORM_SECONDS)

    async def _submit_form(self) -> None:
        view = self.form
        values = {
            **_choose(view, "dataset", self.files.training.name),
            **_choose(view, "validation", self.files.validation.name),
            **_type(view, "name", self.files.name),
        }
        answer = await self.person.submit(view, values)
        if not answer.get("ok"):
            raise NotSeen(f"the form was not taken: {answer.get('errors') or answer.get('error')}", "bot")
        title: Json = view.get("submit") or {}
        self.screen.did(f"fills in the form and presses “{title.get('text', 'Start')}”")
        self.card = await self.person.wait("the job's card in the channel", self._find_card, 30)

    async def _find_card(self) -> Json | None:
        pattern = re.compile(rf"{re.escape(self.files.name)}-\d+ ")
        for message in reversed(await self.person.messages(self.channel)):
            if "bot_id" in message and (found := pattern.match(str(message.get("text", "")))):
                self.summary.model = found[0].strip()
                return message
        return None

    async def _train(self) -> None:
        ts = str(self.card["ts"])

        async def ended() -> Json | None:
            thread = await self.person.thread(self.channel, ts)
            root = thread[0]
            if found := re.search(r"(\d+)\s?%", str(root.get("text", ""))):
                self.screen.training(float(found[1]), str(self.summary.model))
            self.screen.thread(self.channel, thread[1:])
            return next((m for m in thread[1:] if self._is_end(m)), None)

        try:
            end = await self.person.wait("the end of the job", ended, TRAIN_SECONDS, "trainserver")
        finally:
            self.screen.training_over()
        if f"{self.summary.model} is ready" not in str(end.get("text", "")):
            raise NotSeen(f"the job did not end well: {end.get('text')}", "trainserver")
        self.end = end
        await self._measure(end, await self.person.thread(self.channel, ts))

    def _is_end(self, message: Json) -> bool:
        text = str(message.get("text", ""))
        return any(f"{self.summary.model} {end}" in text for end in ("is ready", "failed", "was cancelled"))

    async def _measure(self, end: Json, thread: list[Json]) -> None:
        job = await self.truth.newest_job()
        if job is None or job["status"] != "succeeded":
            raise NotSeen(f"the provider does not know of a finished job: {job}", "trainserver")
        summary = self.summary
        summary.provider_model, summary.base = job["fine_tuned_model"], job["model"]
        summary.trained_tokens = job["trained_tokens"]
        metrics = await self.truth.metrics(job["id"])
        full = [m for m in metrics if m.get("full_valid_loss") is not None]
        if metrics and metrics[0].get("valid_loss") is not None:
            summary.loss_before = float(metrics[0]["valid_loss"])
        summary.epochs = [
            {"step": m["step"], "train_loss": m["train_loss"], "valid_loss": m["full_valid_loss"]}
            for m in full
        ]
        summary.checkpoints = [str(c["step_number"]) for c in await self.truth.checkpoints(job["id"])]
        text = words(end)
        self._read_score(text)
        for message in [*thread, end]:
            if found := re.search(r"safety[^\n·]*?(\d+ of \d+)", words(message), re.IGNORECASE):
                summary.safety = f"{found[1]} categories passed"

    def _read_score(self, text: str) -> None:
        line = next((line for line in text.splitlines() if "validation rows" in line), "")
        base = re.search(r"\bbase ([\d.]+)", line)
        tuned = re.search(rf"{re.escape(str(self.summary.model))} ([\d.]+)", line)
        total = re.search(r"(\d+) validation rows", line)
        if base and tuned:
            self.summary.metric = line.split(" on ")[0].strip()
            self.summary.score_base, self.summary.score_tuned = float(base[1]), float(tuned[1])
            self.summary.score_total = float(total[1]) if total else None

    async def _chat(self) -> None:
        rows = [json.loads(line) for line in self.files.validation.read_text("utf-8").splitlines()]
        question, expected = _turns(rows[0])
        ts = await self.person.say(self.channel, f"@ftbot {question}")
        await self._answer(ts, 1, f"@ftbot {question}", expected)
        for number, row in enumerate(rows[1:ASKED], start=2):
            question, expected = _turns(row)
            await self.person.say(self.channel, question, ts)
            await self._answer(ts, number, question, expected)

    async def _answer(self, ts: str, number: int, question: str, expected: str) -> None:
        self.screen.did(question)

        async def look() -> Json | None:
            thread = await self.person.thread(self.channel, ts)
            answers = [m for m in thread[1:] if "bot_id" in m and not m.get("streaming")]
            return answers[number - 1] if len(answers) >= number else None

        answer = await self.person.wait("the model's answer", look, ANSWER_SECONDS)
        self.screen.message(answer)
        self.screen.note(f"      expected: {expected}")
        said = (words(answer).splitlines() or [""])[0]
        if not said.strip():
            raise NotSeen("the model's answer was empty", "bot")
        self.summary.answers.append({"asked": question, "expected": expected, "answered": said})


def _turns(row: Json) -> tuple[str, str]:
    said = {m["role"]: str(m.get("content") or "") for m in row["messages"]}
    return said.get("user", ""), said.get("assistant", "")


def _block(view: Json, block_id: str) -> Json | None:
    return next((b for b in view.get("blocks", []) if b.get("block_id") == block_id), None)


def _element(view: Json, block_id: str) -> Json:
    block = _block(view, block_id)
    if block is None:
        raise NotSeen(f"the form has no field {block_id}", "bot")
    return block.get("element") or block.get("accessory") or {}


def _choose(view: Json, block_id: str, name: str) -> Json:
    element = _element(view, block_id)
    for option in element.get("options", []):
        if option["text"]["text"].startswith(name):
            state = {"type": element["type"], "selected_option": option}
            return {block_id: {element["action_id"]: state}}
    raise NotSeen(f"the form does not offer {name} as {block_id}", "bot")


def _type(view: Json, block_id: str, value: str) -> Json:
    element = _element(view, block_id)
    return {block_id: {element["action_id"]: {"type": element["type"], "value": value}}}
