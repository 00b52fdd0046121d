"""What training would cost where, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from handlers.text import about, duration, name, number, plural
from handlers.views.layout import Line, bold
from storage.records import Job
from tuning.datasets.report import Cost
from tuning.providers.profile import Base, Profile


@dataclass(frozen=True, slots=True)
class Offer:
    """One base at one provider and what training on one dataset would cost there (``None``: not known).

    ``parent``: an earlier model that is trained further, of this base.
    """

    provider: str
    profile: Profile
    base: Base
    cost: Cost | None = None
    parent: Job | None = None

    @property
    def key(self) -> str:
        """Value of the form's menu: provider and the model that training begins with."""
        model = self.parent.fine_tuned_model if self.parent else self.base.model
        return f"{self.provider}|{model}"

    @property
    def usd(self) -> float | None:
        """Dollars, ``0`` where nothing is charged, ``None`` when unknown."""
        if not self.profile.charges:
            return 0.0
        return self.cost.usd if self.cost else None

    @property
    def seconds(self) -> float | None:
        """Training time as far as it was measured."""
        if self.cost is None or self.base.seconds_per_1k_tokens is None:
            return None
        return self.cost.billed_tokens / 1000 * self.base.seconds_per_1k_tokens


def offer_line(offer: Offer) -> Line:
    """``OpenAI · gpt-4.1-mini  about $4.78 · 3 epochs (auto) · 1,000 answers about $0.94``."""
    words = [_epochs(offer.cost)] if offer.cost else []
    if offer.seconds:
        words.append(f"about {duration(offer.seconds)}")
    if offer.cost and offer.cost.serving_usd_per_1k is not None:
        words.append(f"1,000 answers {about(offer.cost.serving_usd_per_1k)}")
    rest = "".join(f" · {word}" for word in words)
    return [
        bold(f"{name(offer.profile.label, 40)} · {name(offer.base.label, 60)}"),
        "  ",
        bold(about(offer.usd)),
        rest,
    ]


def price_line(offer: Offer, tokens: int) -> Line:
    """The sum behind the price: ``318,400 tokens × 3 epochs × $5.00 per 1M = about $4.78``."""
    cost = offer.cost
    if cost is None:
        return ["Choose training data to see the price."]
    sum_of = f"{number(tokens)} tokens × {plural(cost.epochs, 'epoch')}"
    if not offer.profile.charges:
        return [sum_of, " · ", bold("no fee"), _takes(offer)]
    if cost.price_per_1m is None or cost.usd is None:
        return [sum_of, " · price unknown: this provider publishes none that ftbot knows", _takes(offer)]
    return [
        f"{sum_of} × ${cost.price_per_1m:,.2f} per 1M = ",
        bold(about(cost.usd)),
        f"{_takes(offer)} · cancelling may still bill the steps done",
    ]


def _takes(offer: Offer) -> str:
    """How long the training takes, by the pace that was measured before."""
    return f" · about {duration(offer.seconds)} of training" if offer.seconds else ""


def base_words(offer: Offer) -> str:
    """``gpt-4.1-mini · $5.00 per 1M · until 14 Jan 2027`` for a menu."""
    base = name(offer.base.label, 30)
    words = [f"{offer.parent.name}, further" if offer.parent else f"{name(offer.profile.label, 20)} {base}"]
    if not offer.profile.charges:
        words.append("no fee")
    elif offer.base.price_per_1m is not None:
        words.append(f"${offer.base.price_per_1m:,.2f} per 1M")
    return " · ".join(words)


def until(base: Base) -> str:
    """``answers until 14 Jan 2027``, or nothing when no end is known."""
    return f"answers until {day(base.shutdown_date)}" if base.shutdown_date else ""


def base_note(offer: Offer) -> str:
    """Under a choice of the menu: what an earlier model was made from, and until when it answers."""
    made = [f"made from {name(offer.base.label, 30)}"] if offer.parent else []
    return " · ".join(made + [words for words in (until(offer.base),) if words])


def day(iso: str) -> str:
    """``2027-01-14`` → ``14 Jan 2027``."""
    try:
        parsed = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{parsed.day} {parsed:%b %Y}"


def _epochs(cost: Cost) -> str:
    return plural(cost.epochs, "epoch") + (" (auto)" if cost.epochs_auto else "")
