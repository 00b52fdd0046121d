"""Keys and projects: what one project has, another does not see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.unit.trainserver.conftest import lines
from tests.unit.trainserver.inprocess import Inside, inside
from trainserver import models
from trainserver.database import Database
from trainserver.key_command import main
from trainserver.layout import Layout

ASK: list[Any] = [{"role": "user", "content": "hi"}]
MODEL = "ft:tiny:ftbot:red:abcdefgh"


@pytest.fixture
def app(tmp_path: Path, config: Path) -> Inside:
    made = inside(tmp_path / "data", config)
    with made.state.database.write() as connection:
        models.add(connection, MODEL, "tiny", "tiny", "ftjob-x", "jobs/x", project="red")
    return made


async def test_projects_do_not_see_each_others_files_jobs_and_models(app: Inside):
    async with app.client(app.key("red")) as red, app.client(app.key("blue")) as blue:
        file = await red.files.create(file=("a.jsonl", lines(12)), purpose="fine-tune")
        job = await red.fine_tuning.jobs.create(model="tiny", training_file=file.id)
        assert [one.id async for one in blue.files.list()] == []
        assert [one.id async for one in blue.fine_tuning.jobs.list()] == []
        assert MODEL in [one.id async for one in red.models.list()]
        assert MODEL not in [one.id async for one in blue.models.list()]
        hidden: list[Any] = [
            blue.files.retrieve(file.id),
            blue.files.content(file.id),
            blue.files.delete(file.id),
            blue.fine_tuning.jobs.retrieve(job.id),
            blue.fine_tuning.jobs.cancel(job.id),
            blue.fine_tuning.jobs.pause(job.id),
            blue.fine_tuning.jobs.list_events(job.id),
            blue.fine_tuning.jobs.checkpoints.list(job.id),
            blue.models.retrieve(MODEL),
            blue.models.delete(MODEL),
            blue.chat.completions.create(model=MODEL, messages=ASK),
            blue.files.list(after=file.id),
        ]
        for call in hidden:
            with pytest.raises(openai.NotFoundError):
                await call
        create: Any = blue.fine_tuning.jobs.create
        for options in (
            {"model": MODEL, "training_file": file.id},
            {"model": "tiny", "training_file": file.id},
        ):
            with pytest.raises(openai.BadRequestError):
                await create(**options)
        assert (await red.fine_tuning.jobs.retrieve(job.id)).status == "validating_files"


async def test_a_permission_lets_another_project_ask_a_checkpoint_but_not_delete_it(app: Inside):
    app.script.says = ["hello"]
    async with (
        app.client(app.key("blue")) as blue,
        app.client(app.key("red")) as red,
        app.client(app.key("default", "admin")) as admin,
    ):
        permissions = admin.fine_tuning.checkpoints.permissions
        with pytest.raises(openai.PermissionDeniedError):
            await red.fine_tuning.checkpoints.permissions.list(MODEL)
        given = await permissions.create(MODEL, project_ids=["blue"])
        assert (await blue.chat.completions.create(model=MODEL, messages=ASK)).choices
        assert MODEL in [one.id async for one in blue.models.list()]
        with pytest.raises(openai.NotFoundError):
            await blue.models.delete(MODEL)
        again = await permissions.create(MODEL, project_ids=["blue"])
        assert again.data[0].id == given.data[0].id
        await permissions.delete(given.data[0].id, fine_tuned_model_checkpoint=MODEL)
        with pytest.raises(openai.NotFoundError):
            await blue.chat.completions.create(model=MODEL, messages=ASK)


async def test_an_inference_key_answers_and_trains_nothing(app: Inside):
    app.script.says = ["hello"]
    async with app.client(app.key("red", "inference")) as client:
        assert (await client.chat.completions.create(model=MODEL, messages=ASK)).choices
        assert (await client.responses.create(model=MODEL, input="hi")).output_text == "hello"
        assert (await client.moderations.create(input="hi")).results
        refused: list[Any] = [
            client.files.list(),
            client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune"),
            client.fine_tuning.jobs.list(),
            client.fine_tuning.jobs.create(model="tiny", training_file="file-x"),
            client.models.delete(MODEL),
            client.uploads.create(filename="a.jsonl", bytes=1, mime_type="x", purpose="fine-tune"),
        ]
        for call in refused:
            with pytest.raises(openai.PermissionDeniedError) as caught:
                await call
            assert caught.value.code == "insufficient_permissions"


async def test_a_held_model_answers_nobody(app: Inside):
    with app.state.database.write() as connection:
        connection.execute("UPDATE models SET held = 1")
    async with app.client(app.key("red")) as client:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await client.chat.completions.create(model=MODEL, messages=ASK)
    assert caught.value.code == "model_held"


async def test_on_loopback_nobody_needs_a_key_until_there_is_one(app: Inside):
    async with app.client("anything") as client:
        assert (await client.models.list()).data
        key = app.key("red")
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    async with app.client(key) as client:
        assert (await client.models.list()).data


async def test_a_key_is_shown_once_stored_as_a_hash_and_can_be_taken_back(
    app: Inside, capsys: pytest.CaptureFixture[str]
):
    data = str(app.state.layout.root)
    assert main(["add", "--project", "red", "--inference", "--data", data]) == 0
    key = capsys.readouterr().out.strip()
    assert key.startswith("sk-")
    assert all(key.encode() not in file.read_bytes() for file in Path(data).rglob("*") if file.is_file())
    async with app.client(key) as client:
        assert MODEL in [one.id async for one in client.models.list()]
        assert main(["list", "--data", data]) == 0
        key_id, project, scope, _, force = capsys.readouterr().out.split(maxsplit=4)
        assert (project, scope, force.strip()) == ("red", "inference", "in force")
        assert main(["revoke", key_id, "--data", data]) == 0
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    assert main(["revoke", key_id, "--data", data]) == 2


def test_the_command_belongs_to_the_program(tmp_path: Path):
    command = [sys.executable, "-m", "trainserver", "key", "add", "--data", str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert made.stdout.startswith("sk-")
    with Database(Layout(tmp_path).database).read() as connection:
        assert connection.execute("SELECT project, scope FROM keys").fetchone()["project"] == "default"
