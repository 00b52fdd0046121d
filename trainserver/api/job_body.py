"""The body of a create call: every parameter of OpenAI's, within its documented limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trainserver.errors import BadRequest
from trainserver.hyperparameters import METHODS, Asked, Auto

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Hyperparameters(BaseModel):
    n_epochs: Auto | Annotated[Whole, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[Whole, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[Number, Field(gt=0)] = "auto"


class PreferenceHyperparameters(Hyperparameters):
    beta: Auto | Annotated[Number, Field(gt=0, le=2)] = "auto"


class Supervised(BaseModel):
    hyperparameters: Hyperparameters | None = None


class Preference(BaseModel):
    hyperparameters: PreferenceHyperparameters | None = None


class Method(BaseModel):
    """`reinforcement` is read only to be refused by its name."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Preference | None = None
    reinforcement: dict[str, Any] | None = None


class Wandb(BaseModel):
    project: Annotated[str, Field(min_length=1)]
    name: str | None = None
    entity: str | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)] | None = None


class Integration(BaseModel):
    type: Literal["wandb"]
    wandb: Wandb


class Create(BaseModel):
    """The body of a create call."""

    model_config = ConfigDict(extra="forbid")

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    integrations: Annotated[list[Integration], Field(max_length=5)] | None = None

    def asked(self) -> tuple[str, Asked]:
        """Method and its numbers; the deprecated top-level ones count where the method names none.

        Raises `BadRequest` for a method that is not trained here.
        """
        method = "supervised" if self.method is None else self.method.type
        if method not in METHODS:
            known = " or ".join(repr(one) for one in METHODS)
            raise BadRequest(
                f"Method {method!r} is not supported by this server; use {known}.",
                param="method",
                code="unsupported_method",
            )
        chosen = self.hyperparameters or Hyperparameters()
        if method == "dpo":
            named = self.method and self.method.dpo and self.method.dpo.hyperparameters
            return method, Asked(**(named or PreferenceHyperparameters(**chosen.model_dump())).model_dump())
        named = self.method and self.method.supervised and self.method.supervised.hyperparameters
        return method, Asked(**(named or chosen).model_dump())
