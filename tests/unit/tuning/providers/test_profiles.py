"""What a provider can do is read from what it answers."""

from __future__ import annotations

import pytest

from tests.support.provider import OPENAI_MODELS, FakeProvider
from tuning.errors import TuningError, Unreachable
from tuning.providers import Gateway, Profile, Provider, ProviderConfig, Providers
from tuning.providers.profiles import read_profile

OURS = {
    "service": "trainserver", "fine_tunable": True, "methods": ["supervised"], "max_tokens_per_example": 2048,
    "suffix_max_length": 64, "suffix_pattern": "^[A-Za-z0-9._-]+$", "seconds_per_1k_tokens": 2.5,
    "memory_bytes": 1, "tokenizer": "smol", "price_per_1m_tokens": 0.0, "parent": None,
}  # fmt: skip


def test_openais_list_gives_its_bases_with_prices_and_end() -> None:
    found = read_profile("openai", OPENAI_MODELS)
    assert [b.model for b in found.bases] == ["gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14"]
    mini = found.base("gpt-4.1-mini")
    assert mini is not None
    assert (mini.price_per_1m, mini.shutdown_date, mini.info().encoding) == (5.0, "2027-01-14", "o200k_base")
    assert found.charges
    assert found.filters_metadata


def test_our_trainer_describes_itself_and_its_fine_tunes_are_no_bases() -> None:
    models = [
        {"id": "smol", "x_fine_tuning": OURS},
        {"id": "ft:smol:ftbot:x:1", "x_fine_tuning": OURS | {"parent": "smol"}},
        {"id": "frozen", "x_fine_tuning": OURS | {"fine_tunable": False}},
    ]
    found = read_profile("local", models)
    assert [b.model for b in found.bases] == ["smol"]
    (base,) = found.bases
    assert (base.price_per_1m, base.token_limit, base.seconds_per_1k_tokens, base.exact) == (
        0.0,
        2048,
        2.5,
        False,
    )
    assert not found.charges


def test_what_a_server_can_do_is_read_from_its_own_words_not_from_its_name() -> None:
    silent = read_profile("local", [{"id": "smol", "x_fine_tuning": OURS}])
    assert (silent.can_pause, silent.filters_metadata, silent.responses) == (False, False, False)
    able = OURS | {"service": "x", "can_pause": True, "filters_metadata": True, "responses": True}
    found = read_profile("theirs", [{"id": "smol", "x_fine_tuning": able}])
    assert (found.can_pause, found.filters_metadata, found.responses) == (True, True, True)


def test_limits_come_from_what_the_provider_says() -> None:
    says = OURS | {"max_file_bytes": 1024, "takes_images": False, "max_tools": 3}
    ours = read_profile("local", [{"id": "smol", "x_fine_tuning": says}]).limits
    assert (ours.label, ours.max_bytes, ours.pictures, ours.max_tools) == ("Our trainer", 1024, False, 3)
    openai = read_profile("openai", OPENAI_MODELS).limits
    assert (openai.label, openai.max_bytes, openai.max_pictures) == ("OpenAI", 8 << 30, 10)
    assert read_profile("other", [{"id": "llama"}]).limits.label == "other"


def test_parts_are_for_those_who_say_that_they_take_them() -> None:
    whole = read_profile("local", [{"id": "smol", "x_fine_tuning": OURS | {"max_file_bytes": 1024}}])
    says = OURS | {"max_file_bytes": 1024, "max_upload_bytes": 4096}
    both = read_profile("local", [{"id": "smol", "x_fine_tuning": says}])
    assert (whole.takes_parts, whole.limits.max_bytes) == (False, 1024)
    assert (both.takes_parts, both.limits.max_bytes) == (True, 4096)
    assert read_profile("openai", OPENAI_MODELS).takes_parts
    assert not read_profile("other", [{"id": "llama"}]).takes_parts


def test_an_unknown_provider_shows_its_models_without_prices() -> None:
    found = read_profile("other", [{"id": "llama"}, {"id": "ft:llama:x"}, {"id": "a.ft-1234"}])
    assert [(b.model, b.price_per_1m) for b in found.bases] == [("llama", None)]
    assert not found.filters_metadata
    assert read_profile("empty", []).default_base is None


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("triage", "triage"),
        ("Support Tickets (v2)", "support-tickets-v2"),
        ("--", ""),
        ("★", ""),
        ("x" * 99, "x" * 59),
    ],
)
def test_a_suffix_is_made_to_fit(wanted: str, fits: str) -> None:
    assert Profile("p", "P", ()).suffix(wanted) == fits


def test_a_strict_rule_drops_dashes_and_keeps_room_for_the_number() -> None:
    strict = Profile("azure", "Azure", (), suffix_max=18)
    assert len(strict.suffix("a-very-long-name-indeed") + "-1234") <= 18


async def test_the_last_good_profile_is_kept_while_nobody_answers(
    gateway: Gateway, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Provider("openai", gateway)
    provider.fault("GET", "/models")
    with pytest.raises(Unreachable):
        await there.profile()
    first = await there.profile()
    assert await there.profile() is first
    assert provider.count("GET", "/models") == 2
    monkeypatch.setattr("tuning.providers.PROFILE_SECONDS", 0.0)
    provider.fault("GET", "/models")
    assert await there.profile() is first


async def test_providers_have_names_and_the_first_is_the_default(provider: FakeProvider) -> None:
    several = Providers([ProviderConfig(n, provider.base_url, "k") for n in ("one", "two")])
    assert several.names == ("one", "two")
    assert several.default is several.get("one")
    with pytest.raises(TuningError, match="three"):
        several.get("three")
    await several.close()
    with pytest.raises(TuningError):
        Providers([])


def test_a_key_is_never_shown() -> None:
    assert "sk-secret" not in repr(ProviderConfig("p", None, "sk-secret"))
