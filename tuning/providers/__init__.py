"""Providers: one gateway over the SDK and one profile each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuning.errors import TuningError, Unreachable
from tuning.providers.answers import Completion, CreateJob, Delta, Finish, ProviderJob, ToolCall
from tuning.providers.gateway import Gateway
from tuning.providers.profile import Base, Profile
from tuning.providers.profiles import read_profile

__all__ = [
    "Base",
    "Completion",
    "CreateJob",
    "Delta",
    "Finish",
    "Gateway",
    "Profile",
    "Provider",
    "ProviderConfig",
    "ProviderJob",
    "Providers",
    "ToolCall",
]

PROFILE_SECONDS = 300.0
"""How long a profile is taken for true before it is read again."""


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """Where a provider is; ``name`` is what people type and what every record from it carries.

    ``webhook_secret`` (``whsec_…``) signs what the provider says on its own; without it nothing is taken.
    """

    name: str
    base_url: str | None
    api_key: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


class Provider:
    """One configured provider: its gateway and its profile."""

    def __init__(self, name: str, gateway: Gateway, webhook_secret: str | None = None) -> None:
        self.name = name
        self.gateway = gateway
        self.webhook_secret = webhook_secret
        self._profile: Profile | None = None
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    async def profile(self) -> Profile:
        """What the provider can do; the last known profile while it is unreachable.

        Raises:
            Unreachable, Refused: the profile was never read, and now it cannot be.
        """
        async with self._lock:
            if self._profile is not None and time.monotonic() - self._read_at < PROFILE_SECONDS:
                return self._profile
            try:
                self._profile = read_profile(self.name, await self.gateway.models())
            except Unreachable:
                if self._profile is None:
                    raise
            self._read_at = time.monotonic()
            return self._profile

    @property
    def last_profile(self) -> Profile | None:
        """The profile read last, without asking."""
        return self._profile


class Providers:
    """The configured providers; the first one is the default."""

    def __init__(self, configs: Sequence[ProviderConfig], *, timeout: float = 60.0, retries: int = 2) -> None:
        """``timeout``: seconds for an answer; ``retries``: how often the SDK repeats what may be repeated."""
        if not configs:
            raise TuningError("No provider is configured.", "Set OPENAI_API_KEY or write a providers.toml.")
        self._providers = {
            c.name: Provider(
                c.name,
                Gateway(c.base_url, c.api_key, timeout=timeout, retries=retries),
                c.webhook_secret,
            )
            for c in configs
        }

    def get(self, name: str) -> Provider:
        """The provider with this name.

        Raises:
            TuningError: no provider of this name is configured (any longer).
        """
        found = self._providers.get(name)
        if found is None:
            known = ", ".join(self._providers)
            raise TuningError(f"There is no provider {name} here.", f"Configured: {known}.")
        return found

    @property
    def default(self) -> Provider:
        """The provider configured first."""
        return next(iter(self._providers.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the configuration."""
        return tuple(self._providers)

    def webhook_secret(self, name: str) -> str | None:
        """What this provider signs its webhooks with; ``None`` when none is taken from it."""
        found = self._providers.get(name)
        return found.webhook_secret if found else None

    async def close(self) -> None:
        """Closes all connections."""
        await asyncio.gather(*(p.gateway.close() for p in self._providers.values()))
