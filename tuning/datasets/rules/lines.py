"""Rules for one line as JSON."""

from __future__ import annotations

from tuning.datasets.rules.rule import JSON_RFC, ONE_A_LINE, SILENT, Rule, error, warning

_PARSE = "OpenAI job error invalid_file_format: cannot be parsed, line contains invalid json"

RULES: tuple[Rule, ...] = (
    error(
        "invalid_json",
        "[1 row is|{n} rows are] not valid JSON",
        "correct the JSON at the place named",
        _PARSE,
    ),
    error(
        "invalid_utf8",
        "[1 row has|{n} rows have] bytes that are not UTF-8",
        "save the file again as UTF-8",
        f"{JSON_RFC}, 8.1",
    ),
    error(
        "nul_byte",
        "[1 row has|{n} rows have] a NUL byte",
        "remove the NUL bytes; the file may be damaged",
        f"{JSON_RFC}, 7",
    ),
    error(
        "nan_or_infinity",
        "[1 row uses|{n} rows use] NaN or Infinity, which JSON does not have",
        "write null or a number",
        f"{JSON_RFC}, 6",
    ),
    error(
        "lone_surrogate",
        "[1 row has|{n} rows have] half of a character (a lone surrogate)",
        "remove the broken escape, often half of an emoji",
        f"{JSON_RFC}, 8.2",
    ),
    error(
        "huge_number",
        "[1 row has|{n} rows have] a number too large to read",
        "write the number as text",
        f"{JSON_RFC}, 6",
    ),
    error(
        "python_dict",
        "[1 row is|{n} rows are] written as a Python dictionary, with single quotes",
        "write rows with json.dumps, so that names and texts stand in double quotes",
        _PARSE,
    ),
    error(
        "several_objects",
        "[1 line holds|{n} lines hold] more than one object",
        "put each object on its own line",
        _PARSE,
    ),
    error(
        "comment_line",
        "[1 line is|{n} lines are] a comment, which JSON does not have",
        "delete the comment lines",
        _PARSE,
    ),
    error(
        "too_deep",
        "[1 row is|{n} rows are] nested too deep to read",
        "flatten the row; chat rows need few levels",
        f"{JSON_RFC}, 9 allows a limit",
    ),
    error(
        "row_too_large",
        "[1 row is|{n} rows are] too large to be one example",
        "split the row; a line break may be missing",
        "limits of tokens and images per example",
    ),
    error(
        "row_not_object",
        "[1 row is|{n} rows are] JSON, but not an object",
        "write each row as an object in braces",
        ONE_A_LINE,
    ),
    warning(
        "duplicate_key",
        "[1 row has|{n} rows have] the same key twice; only the last value counts",
        "delete one of the two",
        f"{JSON_RFC}, 4: names should be unique",
    ),
    warning(
        "nul_character",
        "[1 row has|{n} rows have] a NUL character in its text",
        "remove it; no document says whether it is taken",
        SILENT,
    ),
    warning(
        "unicode_line_separator",
        "[1 row has|{n} rows have] an unusual line separator (U+2028) in its text; some tools cut here",
        "replace it with \\n if it was not meant",
        f"{JSON_RFC}, 7 allows it",
    ),
)
