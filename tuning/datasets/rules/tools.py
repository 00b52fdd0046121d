"""Rules for tools and their calls."""

from __future__ import annotations

from tuning.datasets.rules.rule import SCHEMA, Rule, error, warning

_TOOLS = "OpenAI fine-tuning guide, tool calling"

RULES: tuple[Rule, ...] = (
    error(
        "invalid_tools",
        "[1 row has|{n} rows have] a tool definition of the wrong shape",
        'write {"type": "function", "function": {"name": …, "parameters": {…}}}',
        SCHEMA,
    ),
    error(
        "invalid_tool_schema",
        "[1 row has|{n} rows have] tool parameters that are not a JSON Schema",
        "correct the parameters at the place named",
        f"{SCHEMA}: parameters are a JSON Schema object",
    ),
    error(
        "too_many_tools",
        "[1 row defines|{n} rows define] more tools than the provider takes",
        "keep the tools that are used",
        "OpenAI API description: at most 128 tools",
    ),
    error(
        "duplicate_tool", "[1 row defines|{n} rows define] the same tool twice", "keep one definition", _TOOLS
    ),
    error(
        "undefined_tool",
        "[1 row calls|{n} rows call] a tool that `tools` does not define",
        "add the definition to `tools` of the row",
        _TOOLS,
    ),
    error(
        "invalid_tool_call",
        "[1 row has|{n} rows have] a tool call of the wrong shape",
        'write {"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}',
        SCHEMA,
    ),
    error(
        "tool_arguments_not_json",
        "[1 row has|{n} rows have] tool arguments that are not JSON text",
        "write the arguments as a JSON object in a string",
        SCHEMA,
    ),
    error(
        "duplicate_tool_call_id",
        "[1 row uses|{n} rows use] one tool call id twice",
        "give each call its own id",
        _TOOLS,
    ),
    error(
        "missing_tool_call_id",
        "[1 row has|{n} rows have] a tool message without `tool_call_id`",
        "add the id of the call it answers",
        SCHEMA,
    ),
    error(
        "unpaired_tool_message",
        "[1 row has|{n} rows have] a tool message that answers no call before it",
        "use the id of a call made just before",
        _TOOLS,
    ),
    error(
        "unanswered_tool_call",
        "[1 row goes|{n} rows go] on without the result of a tool call",
        "add the tool message with the result",
        _TOOLS,
    ),
    error(
        "invalid_parallel_tool_calls",
        "[1 row has|{n} rows have] a `parallel_tool_calls` that is not true or false",
        "write true or false",
        SCHEMA,
    ),
    warning(
        "legacy_functions",
        "[1 row uses|{n} rows use] `functions` or `function_call`, the old form of tools",
        "use `tools` and `tool_calls`",
        f"{SCHEMA}: deprecated",
    ),
    warning(
        "parallel_calls",
        "[1 row calls|{n} rows call] several tools at once though `parallel_tool_calls` is false",
        "leave `parallel_tool_calls` out, or call one tool a turn",
        SCHEMA,
    ),
)
