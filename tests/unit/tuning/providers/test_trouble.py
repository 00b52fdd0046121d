"""A provider's own words are shown to people, so our keys must not stand in them."""

from __future__ import annotations

import pytest

from tests.support.provider import FakeProvider
from tuning.errors import Refused
from tuning.providers import Gateway
from tuning.providers.trouble import HIDDEN, never_show, without_keys

KEY = "a-key-of-a-clone-123"


async def test_a_key_that_a_provider_repeats_stands_in_no_message(provider: FakeProvider) -> None:
    gateway = Gateway(provider.base_url, KEY, retries=0)
    provider.fault("GET", "/models", status=401, code="invalid_api_key", message=f"Wrong key: {KEY}. Ask us.")
    with pytest.raises(Refused) as refused:
        await gateway.models()
    await gateway.close()
    problem = refused.value
    assert KEY not in f"{problem} {problem.todo} {problem.provider_words} {problem.record()}"
    assert problem.provider_words == f"Wrong key: {HIDDEN}. Ask us."


@pytest.mark.parametrize(
    "words",
    [
        "Incorrect API key provided: sk-proj-abcdefgh1234",
        "Incorrect API key provided: sk-abcd*****wxyz.",
        "Authorization: Bearer abc.def.ghi",
        "token xoxb-12345678-abc was refused",
        "whsec_MDEyMzQ1Njc4OWFi does not fit",
    ],
)
def test_what_looks_like_a_key_is_blacked_out(words: str) -> None:
    shown = without_keys(words)
    assert HIDDEN in shown
    assert not {"abcdefgh", "wxyz", "ghi", "12345678", "MDEy"} & set(shown.replace("-", " ").split())


def test_ordinary_words_stay_and_short_keys_hide_nothing() -> None:
    never_show("none")
    words = "There is none: ask-again later, task_12 is still running."
    assert without_keys(words) == words
