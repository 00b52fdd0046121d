"""What the demo measured: every figure comes from the product's messages or from the provider's API."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Summary:
    """Figures of one run; ``None`` and empty mean not seen."""

    model: str | None = None
    provider_model: str | None = None
    base: str | None = None
    examples: int | None = None
    validation_rows: int | None = None
    trained_tokens: int | None = None
    loss_before: float | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    checkpoints: list[str] = field(default_factory=list[str])
    safety: str | None = None
    metric: str | None = None
    score_base: float | None = None
    score_tuned: float | None = None
    score_total: float | None = None
    answers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    stages: dict[str, float] = field(default_factory=dict[str, float])
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list[str])

    def shortfalls(self) -> list[str]:
        """What a good run shows and this one does not; empty means the model really learnt."""
        short: list[str] = []
        losses = [epoch["valid_loss"] for epoch in self.epochs if epoch.get("valid_loss") is not None]
        start = self.loss_before if self.loss_before is not None else (losses[0] if losses else None)
        if start is None or not losses or not min(losses) < start:
            short.append("validation loss did not fall")
        if self.score_base is None or self.score_tuned is None:
            short.append("no score on validation rows was seen")
        elif not self.score_tuned > self.score_base:
            short.append(
                f"the tuned model ({self.score_tuned:g}) is not better than the base ({self.score_base:g})"
            )
        if self.safety is None:
            short.append("no safety result was seen")
        if not self.answers:
            short.append("the new model was not heard")
        return short

    def to_json(self) -> dict[str, Any]:
        """The summary as ``--json`` writes it."""
        return asdict(self) | {"ok": not self.shortfalls(), "shortfalls": self.shortfalls()}

    def rows(self) -> list[tuple[str, str]]:
        """The summary as it is printed."""
        rows = [
            ("Data", f"{self.examples} examples, {self.validation_rows} for validation"),
            ("Tokens trained", f"{self.trained_tokens:,}" if self.trained_tokens else "unknown"),
            ("Loss by epoch", self._losses()),
            ("Checkpoints", ", ".join(self.checkpoints) or "none"),
            ("Safety", self.safety or "not seen"),
            ("Model", f"{self.model} ({self.provider_model}), made from {self.base}"),
            ("Score", self._score()),
            (
                "Seconds",
                ", ".join(f"{k} {v:.0f}" for k, v in self.stages.items()) + f"; {self.seconds:.0f} in all",
            ),
        ]
        return rows + [("Note", note) for note in self.notes]

    def _losses(self) -> str:
        before = f"validation before {self.loss_before:.3f}; " if self.loss_before is not None else ""
        return before + " → ".join(
            f"{epoch['train_loss']:.3f} (validation {epoch['valid_loss']:.3f})"
            for epoch in self.epochs
            if epoch.get("train_loss") is not None and epoch.get("valid_loss") is not None
        )

    def _score(self) -> str:
        if self.score_base is None or self.score_tuned is None:
            return "not seen"
        total = ""
        if self.score_total is not None:
            exact = "exact" in str(self.metric)
            total = f" of {self.score_total:g}" if exact else f" on {self.score_total:g} rows"
        return f"base {self.score_base:g}, tuned {self.score_tuned:g}{total} ({self.metric})"
