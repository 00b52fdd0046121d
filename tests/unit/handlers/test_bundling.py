"""Several notices as one message."""

from __future__ import annotations

from handlers.answer import Message
from handlers.bundling import MOST_BLOCKS, bundle, fits
from handlers.rendering import Rendered
from handlers.views.layout import rich
from tuning.pictures import Picture


def part(words: str, *, blocks: int = 1, picture: str = "") -> Rendered:
    drawn = Picture(b"png", picture, picture) if picture else None
    return Rendered(Message(words, [rich([words])] * blocks), drawn)


def test_the_newest_line_notifies_and_the_newest_picture_stands_under_its_own_epoch() -> None:
    parts = [
        part("epoch 1", picture="one"),
        part("epoch 2", blocks=2, picture="two"),
        part("ready", blocks=3),
    ]
    whole = bundle(parts)
    assert whole.message.text == "ready"
    assert len(whole.message.blocks) == 6
    assert whole.picture is not None
    assert whole.picture.title == "two"
    assert whole.picture_at == 3


def test_one_notice_stays_as_it_is() -> None:
    alone = part("ready", picture="one")
    assert bundle([alone]) is alone


def test_what_slack_would_not_take_is_no_message() -> None:
    assert fits([part("x" * 20_000)])
    assert fits([part("a", blocks=MOST_BLOCKS - 1), part("b")])
    assert not fits([part("a", blocks=MOST_BLOCKS), part("b")])
    assert not fits([part("a", blocks=MOST_BLOCKS - 1), part("b", picture="p")])
    assert not fits([part("x" * 2_500, blocks=2), part("y" * 2_500, blocks=2)])
