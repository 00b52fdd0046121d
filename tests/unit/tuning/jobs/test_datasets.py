"""Copies, decisions, overlaps and what is kept of datasets."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.facts import drop_facts
from handlers.views import drop_ready
from storage import datasets, outbox
from storage.records import Dataset
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import DatasetBusy, NotKept, StartRefused
from tuning.jobs import Intake, intake, making
from tuning.jobs.holding import held
from tuning.jobs.names import held_out_name, names_validation
from tuning.jobs.notices import drop_card
from tuning.jobs.shelf import Shelf, unpacked

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "islet",
    "jolly",
    "karst",
    "lemon",
    "maple",
    "north",
    "ochre",
    "pearl",
]
CARD = "4111 1111 1111 1111"


def row(number: int, reply: str = "") -> dict[str, Any]:
    """A row that resembles no other."""
    asked = " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 7, 11, 13))
    return {
        "messages": [
            {"role": "user", "content": f"{asked} number {number}?"},
            {"role": "assistant", "content": reply or f"{asked[::-1]} {number * 7919}"},
        ]
    }


def text(*rows: Any) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows)


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [row(number) for number in range(first, first + count)]


class Desk:
    """Drops files and looks at what became of them."""

    def __init__(self, works: Works, **options: Any) -> None:
        pool: Any = works.pool
        house = works.house
        self.works = works
        self.intake = Intake(
            house.store, house.providers, house.clock, pool, house.folder / "kept", **options
        )
        self.count = 0

    async def drop(self, content: str, name: str = "notes.jsonl", **fields: Any) -> Dataset:
        self.count += 1
        values = {
            "state": "checking", "sha256": None, "path": None, "report": {}, "thread": f"1.{self.count}",
            "drop_id": f"C1:1.{self.count}:F{self.count}",
        }  # fmt: skip
        made = await self.works.house.dataset(name, "f", **(values | fields))
        path = self.works.house.folder / f"spool-{made.id}"
        path.write_text(content)
        return await self.intake.check(made.id, path)

    async def make(self, dataset: Dataset, origin: Any, read_as: str | None = None) -> list[Dataset]:
        store = self.works.house.store
        wanted = await store.write(lambda db: making.want(db, dataset.id, origin, "U2", 5.0, read_as=read_as))
        return [await self.intake.make(copy.id) for copy in wanted]

    async def get(self, dataset: Dataset) -> Dataset:
        return await self.works.house.store.read(lambda db: datasets.get(db, dataset.id))

    async def due(self) -> list[str]:
        found = await self.works.house.store.read(lambda db: datasets.uploads_in(db, "due"))
        return [upload.sha256 for upload in found]

    def kept(self) -> list[str]:
        return sorted(path.name for path in (self.works.house.folder / "kept").iterdir())


@pytest.fixture
def desk(works: Works) -> Desk:
    return Desk(works)


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("triage-val.jsonl", True), ("validation.jsonl", True), ("dev_set.jsonl", True),
        ("a.eval.jsonl", True),
        ("holdout2.jsonl", True), ("TEST.jsonl", True), ("developer.jsonl", False), ("value.jsonl", False),
        ("contest.jsonl", False), ("train.jsonl", False),
    ],
)  # fmt: skip
def test_validation_data_is_known_by_its_name(name, yes):
    assert names_validation(name) == yes


def test_the_part_held_out_is_known_by_its_name_too():
    assert held_out_name("triage.jsonl") == "triage-valid.jsonl"
    assert names_validation(held_out_name("odd"))


def test_kept_files_are_compressed_private_and_read_as_they_were(tmp_path: Path):
    shelf = Shelf(tmp_path / "kept")
    loose = shelf.put("loose", b"row\n" * 5000)
    packed = shelf.pack(loose, "ab")
    assert packed.stat().st_size < 1000
    assert packed.stat().st_mode & 0o777 == 0o600
    with unpacked(packed) as plain:
        assert plain.read_bytes() == b"row\n" * 5000
    assert not plain.exists()
    assert packed.exists()
    with pytest.raises(NotKept), unpacked(tmp_path / "gone"):
        pass


async def test_a_small_validation_file_is_fine_and_a_small_training_file_is_not(desk: Desk):
    assert (await desk.drop(text(*rows(4)), "notes-val.jsonl")).state == "ready"
    assert (await desk.drop(text(*rows(4)), "notes.jsonl")).state == "not_ready"


async def test_a_repair_becomes_a_version_of_its_own_and_the_original_stays(desk: Desk):
    broken = await desk.drop(text(*rows(11), "", json.dumps(row(50))[:-1] + ",}"))
    assert (broken.state, broken.fixable) == ("not_ready", 1)
    (copy,) = await desk.make(broken, "repair")
    assert (copy.state, copy.version, copy.origin_id, copy.examples) == ("ready", 2, broken.id, 12)
    assert copy.changes
    with unpacked((await desk.get(broken)).path) as plain:
        assert plain.read_text().count("\n") == 13
    assert await desk.intake.dropped_lines(copy.id, [12]) == [13]
    assert (await desk.make(broken, "repair"))[0].id == copy.id
    assert await desk.due() == [copy.sha256]


async def test_lines_of_a_copy_are_those_of_the_file_as_dropped(desk: Desk):
    bad = {"messages": [{"role": "user", "content": "no answer"}]}
    broken = await desk.drop(text("", "", *rows(11), bad, json.dumps(row(50))[:-1] + ",}"))
    (copy,) = await desk.make(broken, "repair")
    assert copy.state == "not_ready"
    assert [14] in [p["lines"] for p in copy.report["problems"] if p["severity"] == "error"]
    table = list(csv.DictReader(io.StringIO((await desk.intake.table(copy.id)).decode())))
    assert [line["line"] for line in table if line["severity"] == "error"] == ["14"]


async def test_a_file_with_a_payment_card_waits_and_its_redacted_copy_does_not(desk: Desk):
    dropped = await desk.drop(text(*rows(12), row(60, f"card {CARD}")))
    store = desk.works.house.store
    assert dropped.state == "ready"
    assert await store.read(lambda db: held(db, dropped))
    assert await desk.due() == []
    assert CARD not in json.dumps(dropped.report)
    (copy,) = await desk.make(dropped, "redaction")
    assert await desk.due() == [copy.sha256]
    with unpacked(copy.path) as plain:
        assert CARD not in plain.read_text()
    await desk.intake.release(dropped.id, "U9")
    assert (await desk.get(dropped)).released_by == "U9"
    assert set(await desk.due()) == {copy.sha256, dropped.sha256}
    again = await desk.drop(text(*rows(12), row(60, f"card {CARD}")))
    assert not await store.read(lambda db: held(db, again))


async def test_a_held_file_cannot_be_trained_on_before_somebody_decides(works: Works, desk: Desk):
    dropped = await desk.drop(text(*rows(12), row(60, f"card {CARD}")))
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(works.request(dropped.id))
    assert refused.value.field == "leaves"
    job = await works.engine.start(works.request(dropped.id, release=True, owner="U7"))
    assert job.dataset_id == dropped.id
    assert (await desk.get(dropped)).released_by == "U7"


async def test_a_split_gives_two_files_that_share_nothing_and_belong_together(desk: Desk):
    dropped = await desk.drop(text(*rows(60)))
    kept, held_out = await desk.make(dropped, "split")
    assert (kept.examples, held_out.examples) == (54, 6)
    assert (kept.name, held_out.name) == ("notes.jsonl", "notes-valid.jsonl")
    assert kept.validation_id == held_out.id
    assert (await desk.intake.overlap(kept, held_out)).rows == 0
    lines = await desk.intake.dropped_lines(held_out.id, list(range(1, 7)))
    assert lines == sorted(set(lines))


async def test_validation_rows_that_are_training_rows_are_counted_and_refused(works: Works, desk: Desk):
    training = await desk.drop(text(*rows(20)))
    validation = await desk.drop(text(*rows(4, 16), *rows(10, 100)), "check-val.jsonl")
    overlap = await desk.intake.overlap(training, validation)
    assert (overlap.exact, overlap.near, overlap.lines) == (4, 0, [1, 2, 3, 4])
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(works.request(training.id, validation_id=validation.id))
    assert refused.value.field == "validation"
    assert "4 rows are also in the training data: lines 1, 2, 3 +1." in str(refused.value)


async def test_who_lets_an_overlap_stand_is_recorded_and_not_asked_again(works: Works, desk: Desk):
    training = await desk.drop(text(*rows(20)))
    validation = await desk.drop(text(*rows(4, 16), *rows(10, 100)), "check-val.jsonl")
    wish = replace(works.request(training.id, validation_id=validation.id), owner="U7", overlap_ok=True)
    await works.engine.start(wish)
    overlap = await desk.intake.overlap(training, validation)
    assert (overlap.rows, overlap.allowed_by) == (4, "U7")
    again = replace(wish, intent="another", overlap_ok=False)
    assert (await works.engine.start(again)).validation_id == validation.id
    await works.engine.settle()


async def test_an_overlap_that_nobody_looked_at_is_looked_at_before_the_start(works: Works, desk: Desk):
    training = await desk.drop(text(*rows(20)))
    validation = await desk.drop(text(*rows(12, 18)), "other.jsonl")
    with pytest.raises(StartRefused):
        await works.engine.start(works.request(training.id, validation_id=validation.id))


async def test_training_and_validation_dropped_in_one_message_belong_together(desk: Desk):
    training = await desk.drop(text(*rows(20)), "a.jsonl", drop_id="C1:9.9:F1")
    validation = await desk.drop(text(*rows(3, 50)), "a-dev.jsonl", drop_id="C1:9.9:F2")
    other = await desk.drop(text(*rows(3, 80)), "b-dev.jsonl", drop_id="C1:9.95:F3")
    assert (await desk.get(training)).validation_id == validation.id != other.id
    known = await desk.works.house.store.read(
        lambda db: datasets.overlap_of(db, training.sha256, validation.sha256)
    )
    assert known is not None
    assert known.rows == 0


async def test_a_new_version_is_compared_with_the_last_one(desk: Desk):
    first = await desk.drop(text(*rows(20)))
    again = await desk.drop(text(*rows(20)))
    assert (again.version, again.since) == (1, {})
    second = await desk.drop(text(*rows(2), row(2, "another answer"), *rows(16, 3), *rows(5, 100)))
    found = {key: second.since[key] for key in ("version", "added", "removed", "changed")}
    assert found == {"version": 1, "added": 5, "removed": 1, "changed": 1}
    assert second.since["id"] in (first.id, again.id)


async def test_the_verdict_is_recorded_before_private_data_was_looked_for(desk: Desk, monkeypatch):
    seen: list[Dataset] = []

    async def finish(self: Intake, dataset_id: int) -> Dataset:
        seen.append(await self._get(dataset_id))
        return seen[0]

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "finish", finish)
        dropped = await desk.drop(text(*rows(12), row(60, f"card {CARD}")))
    assert (dropped.state, dropped.examining) == ("ready", 1)
    assert await desk.due() == []
    done = await desk.intake.make(dropped.id)  # as after a crash in between
    assert done.examining == 0
    assert done.report["privacy"]
    assert desk.kept() == [f"{done.sha256}.jsonl.gz"]


async def test_a_job_waits_until_private_data_was_looked_for(works: Works):
    made = await works.house.dataset(examining=1)
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(works.request(made.id))
    assert "still being searched" in str(refused.value)


async def test_a_big_file_tells_how_far_the_check_is(desk: Desk, monkeypatch):
    monkeypatch.setattr(intake, "BIG", 1)
    monkeypatch.setattr(intake, "LOOK_SECONDS", 0.001)
    shown: list[float] = []
    monkeypatch.setattr(intake, "_show", lambda db, dataset_id, size, share: shown.append(share))
    dropped = await desk.drop(text(*rows(12)))
    assert dropped.state == "ready"
    assert shown
    assert shown[0] == 0
    assert desk.kept() == [f"{dropped.sha256}.jsonl.gz"]


async def test_deleting_removes_the_file_once_nobody_else_has_this_content(desk: Desk):
    first, second = await desk.drop(text(*rows(12))), await desk.drop(text(*rows(12)))
    await desk.intake.remove(first.id, "U1", "deleted")
    assert len(desk.kept()) == 1
    removed = await desk.intake.remove(second.id, "U1", "deleted")
    assert (removed.state, removed.path, removed.closed_by, desk.kept()) == ("deleted", None, "U1", [])
    for asked in (desk.intake.table(second.id), desk.intake.chart(second.id)):
        with pytest.raises(NotKept):
            await asked
    with pytest.raises(NotKept):
        await desk.make(second, "redaction")


async def test_what_an_open_job_needs_is_not_deleted(works: Works, desk: Desk):
    dropped = await desk.drop(text(*rows(12)))
    await works.engine.start(works.request(dropped.id))
    with pytest.raises(DatasetBusy, match="triage-1"):
        await desk.intake.remove(dropped.id, "U1", "deleted")


@pytest.mark.parametrize(
    ("days", "ready", "not_ready"), [(None, "ready", "deleted"), (3, "deleted", "deleted")]
)
async def test_files_are_kept_as_long_as_is_set(works: Works, days, ready, not_ready):
    desk = Desk(works, keep_days=days)
    good, bad = await desk.drop(text(*rows(12))), await desk.drop(text("{broken", *rows(12)))
    await desk.intake.sweep()
    assert (await desk.get(bad)).state == "not_ready"
    works.house.now += 8 * 86_400
    await desk.intake.sweep()
    assert ((await desk.get(good)).state, (await desk.get(bad)).state) == (ready, not_ready)


async def test_a_file_whose_second_look_failed_is_kept_no_longer_than_others(
    works: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    def dies(*_: Any) -> Any:
        raise OSError("no memory")

    monkeypatch.setattr(intake.workers, "run_examine", dies)
    failed = await desk.drop(text(*rows(12)))
    assert (failed.state, len(desk.kept())) == ("failed", 1)
    works.house.now += 8 * 86_400
    await desk.intake.sweep()
    assert desk.kept() == []


async def test_what_a_crash_left_of_a_deletion_is_deleted_later_and_nothing_else(works: Works, desk: Desk):
    kept, deleted = await desk.drop(text(*rows(12))), await desk.drop(text(*rows(14)))
    await desk.intake.remove(deleted.id, "U1", "deleted")
    folder = Path(str(kept.path)).parent
    packed, unknown = f"{kept.sha256}.jsonl.gz", f"{'0' * 64}.jsonl.gz"
    left = f"{deleted.sha256}.jsonl.gz", f"{kept.sha256}-{kept.id}.jsonl"
    for name in (*left, unknown):
        (folder / name).write_text("what somebody said")
    works.house.now = time.time()
    await desk.intake.sweep()
    assert {*left, packed, unknown} <= set(desk.kept())
    works.house.now += 2 * 86_400
    await desk.intake.sweep()
    assert set(desk.kept()) == {packed, unknown}


async def test_a_version_says_how_many_tokens_and_dollars_it_is_more(works: Works, desk: Desk):
    first = await desk.drop(text(*rows(60)))
    second = await desk.drop(text(*rows(59), row(59, "another reply"), *rows(30, 60)))
    since = second.since
    assert (since["id"], since["version"], since["added"], since["removed"]) == (first.id, 1, 30, 0)
    assert (since["changed"], since["tokens"]) == (1, second.tokens - first.tokens)
    house: Any = SimpleNamespace(store=works.house.store, providers=works.house.providers, intake=desk.intake)
    facts = await drop_facts(house, second)
    costs = [(await desk.intake.prices(one.id)).usd or 0.0 for one in (first, second)]
    assert facts.since_usd == pytest.approx(costs[1] - costs[0])
    assert (facts.since_usd or 0) > 0


async def test_data_that_no_provider_trains_with_is_offered_to_none(works: Works, desk: Desk):
    graded = [
        {"messages": [{"role": "user", "content": f"{WORDS[n]} and {n * 31}?"}], "answer": str(n)}
        for n in range(12)
    ]
    dropped = await desk.drop(text(*graded))
    house: Any = SimpleNamespace(store=works.house.store, providers=works.house.providers, intake=desk.intake)
    facts = await drop_facts(house, dropped)
    assert (dropped.state, dropped.method) == ("ready", "reinforcement")
    assert (facts.offers, facts.method_taken) == ([], False)
    assert "no provider here trains with reinforcement data" in str(drop_ready.ready(dropped, facts).blocks)


async def test_a_drop_is_held_to_the_limits_of_the_provider(works: Works, desk: Desk):
    says = {"service": "trainserver", "fine_tunable": True, "methods": ["supervised"], "max_tools": 1}
    works.house.provider.models = [{"id": "smol", "x_fine_tuning": says | {"takes_images": False}}]
    picture = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}
    seen = row(40)
    seen["messages"][0]["content"] = [picture]
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    dropped = await desk.drop(text(*rows(12), seen, row(41) | {"tools": tools}))
    found = {problem["code"]: problem["message"] for problem in dropped.report["problems"]}
    assert "Our trainer trains on text alone" in found["pictures_not_taken"]
    assert "2 tools; Our trainer takes 1" in found["too_many_tools"]


async def test_a_table_is_read_as_the_format_a_person_chose(desk: Desk):
    cells = "".join(f"{WORDS[n]} {n * 31}?,on shelf {n * 7919}\n" for n in range(12))
    dropped = await desk.drop("question,answer\n" + cells)
    assert (dropped.state, dropped.fixable) == ("not_ready", 0)
    (copy,) = await desk.make(dropped, "repair", "pairs")
    assert (copy.state, copy.examples, copy.read_as) == ("ready", 12, "pairs")
    assert copy.changes == [
        {"message": "read as Prompt and completion", "count": 12, "lines": list(range(2, 14))}
    ]
    (other,) = await desk.make(dropped, "repair", "chat")
    assert other.id != copy.id  # another reading is another copy
    assert other.state == "not_ready"
    assert [again.id for again in await desk.make(dropped, "repair", "pairs")] == [copy.id]


async def test_a_copy_that_cannot_be_made_says_why(desk: Desk):
    dropped = await desk.drop("PAR1 and no table")
    (copy,) = await desk.make(dropped, "redaction")
    assert copy.state == "failed"
    assert copy.error == (
        "The copy could not be made: the file cannot be redacted:"
        " it is damaged, or larger than can be read here."
    )


async def test_a_copy_whose_original_is_gone_says_so(desk: Desk):
    dropped = await desk.drop(text("{broken", *rows(12)))
    (wanted,) = await desk.works.house.store.write(
        lambda db: making.want(db, dropped.id, "repair", "U1", 1.0)
    )
    await desk.intake.remove(dropped.id, "U1", "closed")
    with pytest.raises(NotKept):
        await desk.intake.make(wanted.id)


async def test_the_chart_is_a_picture_with_words(desk: Desk):
    picture = await desk.intake.chart((await desk.drop(text(*rows(12)))).id)
    assert picture is not None
    assert picture.png.startswith(b"\x89PNG")
    assert picture.alt


async def test_a_copy_touches_the_card_it_was_made_from(desk: Desk):
    store = desk.works.house.store
    dropped = await desk.drop(text("{broken", *rows(12)))
    await store.write(lambda db: drop_card(db, replace(dropped), 1.0))
    await desk.make(dropped, "redaction")
    card = await store.read(lambda db: outbox.card(db, f"drop:{dropped.id}"))
    assert card is not None
    assert card.dirty


async def test_a_copy_without_named_rows_is_checked_and_made_once(desk: Desk):
    dropped = await desk.drop(text(*rows(14)))
    store = desk.works.house.store

    def want(left_out):
        return lambda db: making.want(db, dropped.id, "omission", "U2", 5.0, left_out=left_out)

    (wanted,) = await store.write(want([13, 4]))
    copy = await desk.intake.make(wanted.id)
    assert (copy.state, copy.examples, copy.version, copy.origin_id) == ("ready", 12, 2, dropped.id)
    with unpacked(copy.path) as plain:
        assert plain.read_text() == text(*(row(n) for n in range(14) if n not in (3, 12)))
    assert await desk.intake.dropped_lines(copy.id, [3, 4, 12]) == [3, 5, 14]
    assert [(change["count"], change["lines"]) for change in copy.changes] == [(2, [4, 13])]
    assert [one.id for one in await store.write(want([4, 13]))] == [copy.id]
    (other,) = await store.write(want([4]))
    assert other.id != copy.id


async def test_rows_are_named_by_the_lines_of_the_drop(desk: Desk):
    dropped = await desk.drop(text(*rows(14)))
    store = desk.works.house.store
    (first,) = await store.write(
        lambda db: making.want(db, dropped.id, "omission", "U2", 5.0, left_out=[1, 2])
    )
    first = await desk.intake.make(first.id)
    (second,) = await store.write(lambda db: making.want(db, first.id, "omission", "U2", 5.0, left_out=[3]))
    assert (await desk.intake.make(second.id)).changes[0]["lines"] == [5]
    ((line, said),) = await desk.intake.rows(first.id, [3], 200)
    assert line == 5
    assert "number 4?" in said


async def test_a_copy_without_lines_that_are_not_there_says_so(desk: Desk):
    dropped = await desk.drop(text(*rows(12)))
    (wanted,) = await desk.works.house.store.write(
        lambda db: making.want(db, dropped.id, "omission", "U2", 5.0, left_out=[99])
    )
    assert (await desk.intake.make(wanted.id)).error == (
        "The copy could not be made: the file has none of these lines."
    )
