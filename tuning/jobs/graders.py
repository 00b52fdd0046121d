"""What judges answers in reinforcement training: a grader, written as JSON and checked before it is sent.

Kinds and fields are those of OpenAI's API description (``GraderStringCheck`` and its siblings).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from tuning.errors import StartRefused

Json = dict[str, Any]

OPERATIONS = ("eq", "ne", "like", "ilike")
METRICS = ("cosine", "fuzzy_match", "bleu", "gleu", "meteor", *(f"rouge_{n}" for n in range(1, 6)), "rouge_l")
_FIELDS: dict[str, dict[str, type]] = {
    "string_check": {"name": str, "input": str, "reference": str, "operation": str},
    "text_similarity": {"name": str, "input": str, "reference": str, "evaluation_metric": str},
    "python": {"name": str, "source": str},
    "score_model": {"name": str, "input": list, "model": str},
    "multi": {"name": str, "graders": dict, "calculate_output": str},
}
KINDS = tuple(_FIELDS)
_ONE_OF = {"operation": OPERATIONS, "evaluation_metric": METRICS}
_COLUMN = re.compile(r"\{\{\s*item\.(\w+)")
_SHAPES = {str: "text", list: "a list", dict: "an object"}


def read_grader(text: str) -> Json:
    """The grader that a person wrote.

    Raises:
        StartRefused: it is no JSON, or not a grader; the words say where.
    """
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise _refused(f"This is no JSON: {wrong.msg}, line {wrong.lineno}, column {wrong.colno}.") from wrong
    except RecursionError as wrong:
        raise _refused("This is nested too deeply.") from wrong
    _check(found, "The grader")
    return cast("Json", found)


def refuse_missing_columns(grader: Json, columns: Collection[str]) -> None:
    """Refuses a grader that reads columns (``{{item.COLUMN}}``) which the data does not have.

    Raises:
        StartRefused: one is missing. Nothing is said where the columns of the data are not known.
    """
    named = dict.fromkeys(_COLUMN.findall(json.dumps(grader, ensure_ascii=False)))
    missing = [one for one in named if one not in columns]
    if columns and missing:
        words = "column" if len(missing) == 1 else "columns"
        raise _refused(f"The data has no {words} {', '.join(missing)}. It has: {', '.join(sorted(columns))}.")


def _check(found: Any, place: str) -> None:
    if not isinstance(found, Mapping):
        raise _refused(f"{place} is an object in braces, with type and name.")
    grader = cast("Mapping[str, Any]", found)
    fields = _FIELDS.get(str(grader.get("type")))
    if fields is None:
        raise _refused(f"{place} needs a type: {', '.join(KINDS)}.")
    for field, kind in fields.items():
        if not isinstance(grader.get(field), kind) or not grader[field]:
            raise _refused(f"{place} ({grader['type']}) needs {field}, {_SHAPES[kind]}.")
        allowed = _ONE_OF.get(field)
        if allowed and grader[field] not in allowed:
            raise _refused(f"{place}: {field} is one of {', '.join(allowed)}.")
    if grader["type"] == "multi":
        for name, part in cast("dict[str, Any]", grader["graders"]).items():
            if isinstance(part, Mapping) and cast("Mapping[str, Any]", part).get("type") == "multi":
                raise _refused(f"Grader {name} is itself a multi grader; they do not nest.")
            _check(part, f"Grader {name}")


def _refused(words: str) -> StartRefused:
    return StartRefused("grader", words)
