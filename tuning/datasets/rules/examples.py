"""What breaks each rule, for the reference page; tests hold every example to its rule.

A row is one line of a supervised file, or of a file of the other rows named; ``FILES`` are whole files.
Where an example would be too long or cannot be shown as text, it is told in words (``WORDS``).
"""

from __future__ import annotations

_USER = '{"role": "user", "content": "Where is my parcel?"}'
_REPLY = '{"role": "assistant", "content": "shipping"}'
_TOOL = '"tools": [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]'
_CALL = '{"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}'
_CALLS = f'{{"role": "assistant", "tool_calls": [{_CALL}]}}'
_ANSWER = '{"role": "tool", "tool_call_id": "c1", "content": "on its way"}'


def _row(*messages: str, more: str = "") -> str:
    return f'{{"messages": [{", ".join(messages)}]{f", {more}" if more else ""}}}'


def _said(content: str, more: str = "") -> str:
    return _row(_USER, f'{{"role": "assistant", "content": "{content}"{more}}}')


def _image(url: str, role: str = "user", detail: str = "") -> str:
    return (
        f'{{"role": "{role}", "content": [{{"type": "text", "text": "What is this?"}}, '
        f'{{"type": "image_url", "image_url": {{"url": "{url}"{detail}}}}}]}}'
    )


def _called(call: str) -> str:
    return _row(_USER, f'{{"role": "assistant", "tool_calls": [{call}]}}', _ANSWER, _REPLY, more=_TOOL)


ROWS: dict[str, str] = {
    "blank_lines": " ",
    "invalid_json": '{"messages": [],}',
    "nan_or_infinity": '{"messages": [], "score": NaN}',
    "lone_surrogate": _said("half an emoji: \\ud83d"),
    "huge_number": '{"messages": [], "score": 1e999}',
    "python_dict": "{'messages': [{'role': 'user', 'content': 'Hi'}]}",
    "several_objects": '{"messages": []} {"messages": []}',
    "comment_line": "// the shipping rows follow",
    "row_not_object": '["user", "Hi"]',
    "duplicate_key": _said("shipping", ', "content": "billing"'),
    "nul_character": _said("a\\u0000b"),
    "unicode_line_separator": _said("first\\u2028second"),
    "legacy_format": '{"prompt": "Where is my parcel?", "completion": " shipping"}',
    "sharegpt_format": '{"conversations": [{"from": "human", "value": "A"}, {"from": "gpt", "value": "Ho"}]}',
    "alpaca_format": '{"instruction": "Sort it", "input": "Where is my parcel?", "output": "shipping"}',
    "trl_preference_format": '{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}',
    "batch_api_format": '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}',
    "gemini_format": '{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}',
    "text_format": '{"text": "Once upon a time"}',
    "mixed_formats": '{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}',
    "missing_messages": '{"chat": []}',
    "messages_not_list": '{"messages": "Hi"}',
    "empty_messages": '{"messages": []}',
    "message_not_object": _row('"Hi"', _REPLY),
    "unknown_key": _row(_USER, _REPLY, more='"label": "shipping"'),
    "unknown_message_key": _said("shipping", ', "mood": "calm"'),
    "missing_role": _row('{"content": "Hi"}', _REPLY),
    "invalid_role": _row('{"role": "human", "content": "Hi"}', _REPLY),
    "missing_content": _row('{"role": "user"}', _REPLY),
    "invalid_content": _row('{"role": "user", "content": 7}', _REPLY),
    "unknown_content_part": _row('{"role": "user", "content": [{"type": "audio"}]}', _REPLY),
    "invalid_name": _row('{"role": "user", "content": "Hi", "name": 7}', _REPLY),
    "no_assistant_message": _row(_USER),
    "invalid_weight": _said("shipping", ', "weight": 0.5'),
    "last_assistant_weight_zero": _said("shipping", ', "weight": 0'),
    "control_token": _said("bye <|endoftext|>"),
    "template_token": _said("bye <|im_end|>"),
    "empty_content": _said(""),
    "last_not_assistant": _row(_USER, _REPLY, _USER),
    "no_user_message": _row('{"role": "system", "content": "Be brief."}', _REPLY),
    "developer_role": _row('{"role": "developer", "content": "Be brief."}', _USER, _REPLY),
    "image_not_from_user": _row(_USER, _image("https://a.example/x.png", role="assistant")),
    "invalid_image_url": _row(_image("pictures/1.jpg"), _REPLY),
    "unsupported_image_type": _row(_image("https://a.example/x.gif"), _REPLY),
    "invalid_image_detail": _row(_image("https://a.example/x.png", detail=', "detail": "huge"'), _REPLY),
    "invalid_tools": _row(_USER, _REPLY, more='"tools": [{"name": "look_up"}]'),
    "invalid_tool_schema": _row(_USER, _REPLY, more=_TOOL.replace('"object"', '"strnig"')),
    "duplicate_tool": _row(
        _USER,
        _REPLY,
        more=_TOOL.replace("}]", "}, " + _TOOL.removeprefix('"tools": [')),
    ),
    "undefined_tool": _called(_CALL.replace("look_up", "lookup_order")),
    "invalid_tool_call": _row(_USER, '{"role": "assistant", "tool_calls": ["look_up"]}', _REPLY, more=_TOOL),
    "tool_arguments_not_json": _called(_CALL.replace('"{}"', '"{order: 1}"')),
    "duplicate_tool_call_id": _called(f"{_CALL}, {_CALL}"),
    "missing_tool_call_id": _row(
        _USER, _CALLS, _ANSWER, '{"role": "tool", "content": "on its way"}', _REPLY, more=_TOOL
    ),
    "unpaired_tool_message": _row(_USER, _CALLS, _ANSWER, _ANSWER.replace("c1", "c9"), _REPLY, more=_TOOL),
    "unanswered_tool_call": _row(_USER, _CALLS, _REPLY, more=_TOOL),
    "parallel_calls": _row(
        _USER,
        f'{{"role": "assistant", "tool_calls": [{_CALL}, {_CALL.replace("c1", "c2")}]}}',
        _ANSWER,
        _ANSWER.replace("c1", "c2"),
        _REPLY,
        more=f'{_TOOL}, "parallel_tool_calls": false',
    ),
    "invalid_parallel_tool_calls": _row(_USER, _REPLY, more='"parallel_tool_calls": "yes"'),
    "legacy_functions": _row(_USER, _REPLY, more='"functions": [{"name": "look_up"}]'),
    "secret": _said("the key is AKIAIOSFODNN7EXAMPLE"),
    "payment_card": _said("card 4111 1111 1111 1111"),
    "national_id": _said("SSN 078-05-1120"),
    "email": _said("write to jane@mail.example"),
    "phone": _said("call 555-123-4567"),
    "ip_address": _said("from 203.0.113.7"),
}
"""Rows of a supervised file."""

_PICTURE = _image("https://a.example/x.png")
_PREFERRED = f'"preferred_output": [{_REPLY}]'
_OTHER = '"non_preferred_output": [{"role": "assistant", "content": "billing"}]'
_INPUT = f'"input": {{"messages": [{_USER}]}}'

PREFERENCES: dict[str, str] = {
    "missing_input": f"{{{_PREFERRED}, {_OTHER}}}",
    "invalid_output": f'{{{_INPUT}, "preferred_output": "shipping", {_OTHER}}}',
    "image_in_preference": f'{{"input": {{"messages": [{_PICTURE}]}}, {_PREFERRED}, {_OTHER}}}',
    "same_outputs": f"{{{_INPUT}, {_PREFERRED}, {_PREFERRED.replace('preferred', 'non_preferred')}}}",
    "input_ends_with_assistant": f'{{"input": {{"messages": [{_USER}, {_REPLY}]}}, {_PREFERRED}, {_OTHER}}}',
}
"""Rows of a preference file."""

FILES: dict[str, str] = {
    "no_rows": "\n\n",
    "html_page": "<!DOCTYPE html><html><title>Sign in</title></html>",
    "xml_file": '<?xml version="1.0"?><rows/>',
    "json_array": '[\n{"messages": []},\n{"messages": []}\n]',
    "pretty_printed": '{\n  "messages": [\n  ]\n}',
    "csv_file": "prompt,completion\nWhere is my parcel?,shipping\nI cannot sign in,login",
    "plain_text": "Once upon a time there was a parcel.\nIt was late.",
}
"""Whole files."""

WORDS: dict[str, str] = {
    "empty_file": "a file of 0 bytes",
    "utf16": "a file that begins with the bytes `ff fe`",
    "utf32": "a file that begins with the bytes `ff fe 00 00`",
    "gzip_file": "a file that begins with the bytes `1f 8b`",
    "zip_file": "a file that begins with `PK`",
    "parquet_file": "a file that begins with `PAR1`",
    "binary_file": "a file that begins with `%PDF`",
    "too_few_examples": "a training file of 9 rows",
    "few_examples": "a training file of 10 to 49 rows",
    "validation_columns": "a reinforcement row without `answer`, which every row to train on has",
    "pictures_not_taken": "a picture in a row for a provider whose profile says text alone",
    "too_many_examples": "a reinforcement file of 50,001 rows",
    "too_many_pictured": "50,001 rows with pictures",
    "file_too_large": "a file of 9 GB sent to OpenAI",
    "bom": "a file that begins with the bytes `ef bb bf`",
    "crlf": "lines that end with the bytes `0d 0a`",
    "cr_line_endings": "lines that end with the byte `0d`",
    "duplicate_examples": "the same row twice, however it is spaced or escaped",
    "validation_overlap": "a validation row that stands in the training file too",
    "over_token_limit": "a row of 70,000 tokens for a base that takes 65,536",
    "invalid_utf8": "the byte `e9` alone, which is é in Windows-1252",
    "nul_byte": "the byte `00` within a row",
    "too_deep": "20,000 opening brackets",
    "row_too_large": "a row of a million messages, or of more than 160 MB",
    "method_mismatch": "a chat row where `--method dpo` was asked for",
    "last_not_user": "a reinforcement row whose last message is the assistant's",
    "invalid_pair": '`"completion": 7`, for a base that takes prompt/completion',
    "too_many_images": "11 images in one row, for OpenAI",
    "image_too_large": "a data URL of 14 million characters, for OpenAI",
    "too_many_tools": "129 tools in one row, for OpenAI",
    "near_duplicates": "the same ticket in capitals, or with one word more",
    "conflicting_answers": "“Where is parcel 3?” answered with shipping on line 4, with billing on line 13",
    "short_answer": "“No.” among answers of 300 characters",
    "missing_system_prompt": "1 row of 20 without the system prompt the other 19 have",
    "validation_near_overlap": "a validation row that is a training row with one word more",
}
