"""/v1/moderations: the local word screen in OpenAI's shape. What it is and misses: `trainserver.safety`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from trainserver import safety
from trainserver.api.state import Who
from trainserver.errors import BadRequest
from trainserver.ids import new_id

MODEL = "ftbot-word-screen"
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
router = APIRouter(prefix="/v1/moderations")


class Part(BaseModel):
    type: Literal["text", "image_url"]
    text: str | None = None


class Ask(BaseModel):
    input: str | Annotated[list[str], Field(min_length=1)] | Annotated[list[Part], Field(min_length=1)]
    model: str | None = None


def _texts(body: Ask) -> list[str]:
    """One text for each result; parts belong together."""
    if isinstance(body.input, str):
        return [body.input]
    texts: list[str] = []
    for part in body.input:
        if isinstance(part, str):
            texts.append(part)
        elif part.type == "image_url":
            raise BadRequest(
                "Images are not supported by this server.", param="input", code="unsupported_value"
            )
        elif part.text is None:
            raise BadRequest("A text part needs 'text'.", param="input")
        else:
            texts = ["\n".join([*texts, part.text])]
    return texts


def _result(text: str) -> dict[str, Any]:
    found = safety.screen(text)
    flags = {category: category in found for category in CATEGORIES}
    # Ours that OpenAI's endpoint has no name for (advice, propaganda, …) count in `flagged` alone.
    return {
        "flagged": bool(found),
        "categories": flags,
        "category_scores": {category: 1.0 if flag else 0.0 for category, flag in flags.items()},
        "category_applied_input_types": {category: ["text"] for category in CATEGORIES},
    }


@router.post("")
def create(_who: Who, body: Ask) -> dict[str, Any]:
    return {"id": new_id("modr"), "model": MODEL, "results": [_result(text) for text in _texts(body)]}
