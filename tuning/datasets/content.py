"""Rules for what a message says: text, parts, images, control tokens."""

from __future__ import annotations

import base64
import re
from typing import Any, cast

from tuning.datasets.excerpts import excerpt
from tuning.datasets.limits import STANDARD, Limits, size_words
from tuning.datasets.parsing import Found

CONTROL_TOKEN = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix)\|>")
"""Refused by the provider ("contains an invalid token"); the guide lists these five as examples."""
TEMPLATE_TOKEN = re.compile(r"<\|(?:im_start|im_end|im_sep|start|end|message|channel|return|eot_id)\|>")
_DATA_URL = re.compile(r"data:image/(?:jpeg|jpg|png|webp);base64,")
_OTHER_DATA = re.compile(r"data:[a-z]+/[a-z0-9.+-]+[;,]", re.I)
_OTHER_TYPE = re.compile(r"\.(?:gif|bmp|tiff?|svg|heic|avif|ico|pdf|mp4)(?:[?#]|$)", re.I)
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


def check_text(text: str, where: str, found: Found) -> None:
    """Empty text and tokens that must not stand in it (sources: the rules named here)."""
    if not text or text.isspace():
        found.setdefault("empty_content", where)
    else:
        check_tokens(text, where, found)


def check_tokens(text: str, where: str, found: Found) -> None:
    """Tokens that must not stand in a text, nor in the arguments of a call."""
    if "<|" in text:
        if token := CONTROL_TOKEN.search(text):
            found.setdefault("control_token", f"{where}, {excerpt(token[0])}")
        elif token := TEMPLATE_TOKEN.search(text):
            found.setdefault("template_token", f"{where}, {excerpt(token[0])}")


def check_parts(parts: list[Any], role: str, where: str, found: Found, limits: Limits = STANDARD) -> int:
    """Rules for a list of content parts (source: API description of chat messages); counts images."""
    if not parts:
        found.setdefault("empty_content", where)
    images = 0
    for item in parts:
        part = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        kind = part.get("type")
        if kind == "text" and isinstance(part.get("text"), str):
            check_text(part["text"], where, found)
        elif kind == "refusal" and role == "assistant" and isinstance(part.get("refusal"), str):
            check_text(part["refusal"], where, found)
        elif kind == "image_url" and isinstance(part.get("image_url"), dict):
            images += 1
            _check_image(part["image_url"], role, where, found, limits)
        else:
            name = excerpt(kind) if isinstance(kind, str) else "no type"
            found.setdefault("unknown_content_part", f"{where}, {name}")
    return images


def _check_image(image: dict[str, Any], role: str, where: str, found: Found, limits: Limits) -> None:
    """Source: vision fine-tuning guide."""
    if role != "user":
        found.setdefault("image_not_from_user", where)
    detail = image.get("detail", "auto")
    if detail not in ("low", "high", "auto"):
        found.setdefault("invalid_image_detail", f"{where}, {excerpt(detail)}")
    url = image.get("url")
    if not isinstance(url, str):
        found.setdefault("invalid_image_url", where)
    elif data := _DATA_URL.match(url):
        size = (len(url) - data.end()) * 3 // 4
        if size > limits.picture_bytes:
            takes = f"{limits.label} takes {size_words(limits.picture_bytes)}"
            found.setdefault("image_too_large", f"{where}, {size_words(size)}; {takes}")
        elif not _is_picture(url[data.end() : data.end() + 24]):
            found.setdefault("unsupported_image_type", f"{where}, its bytes are no JPEG, PNG or WEBP")
    elif _OTHER_DATA.match(url) or (url.startswith("https://") and _OTHER_TYPE.search(url)):
        found.setdefault("unsupported_image_type", where)
    elif not url.startswith("https://") or len(url) < 12:
        found.setdefault("invalid_image_url", where)


def _is_picture(start: str) -> bool:
    """The first bytes of the picture, in base64, are those of one of the types taken."""
    try:
        first = base64.b64decode(start[: len(start) // 4 * 4], validate=True)
    except ValueError:
        return False
    return first.startswith(_PICTURES)
