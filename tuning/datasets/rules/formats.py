"""Rules for files in another format, and for the rows of other methods than chat."""

from __future__ import annotations

from tuning.datasets.rules.rule import AS_CHAT, DPO, RFT, Rule, error, warning

_FORMAT = "OpenAI job error: unexpected file format, expected either prompt/completion pairs or chat messages"

RULES: tuple[Rule, ...] = (
    error(
        "legacy_format",
        "[1 row is|{n} rows are] in the old prompt/completion format",
        AS_CHAT,
        "OpenAI deprecations: babbage-002 and davinci-002 were the last bases to take it",
    ),
    error(
        "sharegpt_format",
        "[1 row is|{n} rows are] in ShareGPT format (`conversations`, from/value)",
        AS_CHAT,
        _FORMAT,
    ),
    error("alpaca_format", "[1 row is|{n} rows are] in Alpaca format (instruction/output)", AS_CHAT, _FORMAT),
    error(
        "trl_preference_format",
        "[1 row is|{n} rows are] in TRL's preference format (chosen/rejected)",
        "write each with `input`, `preferred_output` and `non_preferred_output`",
        DPO,
    ),
    error(
        "batch_api_format",
        "[1 row is|{n} rows are] a Batch API request, not training data",
        "use the conversations with their answers, not the requests",
        _FORMAT,
    ),
    error("gemini_format", "[1 row is|{n} rows are] in Gemini format (`contents`, parts)", AS_CHAT, _FORMAT),
    error("text_format", "[1 row has|{n} rows have] only a `text` field", AS_CHAT, _FORMAT),
    error(
        "mixed_formats",
        "[1 row is|{n} rows are] in another format than the rest of the file",
        "keep one format in a file; put the others into their own",
        "together 1.5 check_file: one format a file",
    ),
    error(
        "method_mismatch",
        "[1 row does|{n} rows do] not fit the chosen method",
        "choose the method the file is made for",
        "OpenAI job error: file is in the chat format, but the job is not using supervised",
    ),
    error(
        "missing_input",
        "[1 row has|{n} rows have] no `input` object with messages",
        'write "input": {"messages": […]}',
        "OpenAI job error: Example X is missing key 'input'",
    ),
    error(
        "invalid_output",
        "[1 row has|{n} rows have] a preferred or non-preferred output of the wrong shape",
        "write each output as a list with one assistant message",
        DPO,
    ),
    error(
        "image_in_preference",
        "[1 row has|{n} rows have] an image in preference data",
        "preference data is text only",
        DPO,
    ),
    warning(
        "same_outputs",
        "[1 row prefers|{n} rows prefer] an output over an identical one",
        "make the two outputs differ, or delete the row",
        f"{DPO}: two different outputs",
    ),
    warning(
        "input_ends_with_assistant",
        "[1 row has|{n} rows have] an input that already ends with the assistant",
        "end the input with the user, the outputs are the reply; the guide is silent",
        "together 1.5 check_file refuses it",
    ),
    error(
        "last_not_user",
        "[1 row does|{n} rows do] not end with a user message",
        "end with what the model should answer",
        f"{RFT}: the last message is the user's",
    ),
    error(
        "invalid_pair",
        "[1 row has|{n} rows have] a prompt or completion that is not text",
        "write both as text",
        "OpenAI legacy fine-tuning guide",
    ),
)
