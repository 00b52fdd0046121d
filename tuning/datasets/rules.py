"""Every rule of the check as a record: code, severity, what it says, the fix and its source.

A message is written once with both numbers: ``[1 row has|{n} rows have]`` becomes one or the other.
The reference page of the documentation is made from this table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuning.datasets.report import Severity

_EITHER = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")

GUIDE = "OpenAI supervised fine-tuning guide"
SCHEMA = "OpenAI API description, schemas of chat messages"
COOKBOOK = "openai-cookbook, Chat_finetuning_data_prep"
LLMCOMP = "llmcomp 1.6.0, finetuning/validation.py (rules learned from refused jobs)"
JSON_RFC = "RFC 8259"
VISION = "OpenAI vision fine-tuning guide"
DPO = "OpenAI direct preference optimization guide"
RFT = "OpenAI reinforcement fine-tuning guide"
SILENT = "not documented; providers differ"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing the check looks for. ``source`` names the document or the real error behind it."""

    code: str
    severity: Severity
    says: str
    fix: str
    source: str

    def message(self, count: int, detail: str = "", line: int | None = None) -> str:
        """The message for ``count`` rows, naming the first place when there is more to say of it."""
        text = _EITHER.sub(lambda m: m[1] if count == 1 else m[2], self.says).replace("{n}", f"{count:,}")
        where = f"line {line:,}, " if line is not None else ""
        return f"{text} ({where}{detail})" if detail else text


RULES: dict[str, Rule] = {}


def _error(code: str, says: str, fix: str, source: str) -> None:
    RULES[code] = Rule(code, "error", says, fix, source)


def _warning(code: str, says: str, fix: str, source: str) -> None:
    RULES[code] = Rule(code, "warning", says, fix, source)


# --- the file as a whole -------------------------------------------------------------------------
_JSONL = f"{GUIDE}: JSON Lines, one object a line"
_error("empty_file", "The file is empty", "drop a file with one JSON object on each line", _JSONL)
_error("no_rows", "The file holds only blank lines", "put one JSON object on each line", _JSONL)
_error("html_page", "The file is a web page (HTML), not training data",
       "download the file itself: a login or preview page was saved in its place", _JSONL)
_error("xml_file", "The file is XML, not JSON Lines", "export it as JSON Lines (.jsonl)", _JSONL)
_error("json_array", "The file is one JSON list, not one object a line",
       "write each object of the list on its own line, without the outer brackets and commas", _JSONL)
_error("pretty_printed", "The objects are spread over several lines",
       "write each object on one line, with no line breaks between its parts", _JSONL)
_error("csv_file", "The file is a table (CSV), not JSON Lines",
       "turn each table row into a chat example and save as .jsonl", _JSONL)
_error("plain_text", "The file is plain text, not JSON Lines",
       "write each example as a JSON object with a `messages` list on its own line", _JSONL)
_error("utf16", "The file is saved as UTF-16, not UTF-8", "save it again with the encoding UTF-8", f"{JSON_RFC}, 8.1")
_error("utf32", "The file is saved as UTF-32, not UTF-8", "save it again with the encoding UTF-8", f"{JSON_RFC}, 8.1")
_error("gzip_file", "The file is compressed (gzip)", "unpack it and drop the .jsonl inside", _JSONL)
_error("zip_file", "The file is a zip archive or an Office document", "unpack it, or export as .jsonl", _JSONL)
_error("parquet_file", "The file is Parquet, not JSON Lines", "export it as JSON Lines (.jsonl)", _JSONL)
_error("binary_file", "The file is not text", "drop a text file with one JSON object a line", _JSONL)
_error("too_few_examples", "Only [1 example|{n} examples]; training needs at least 10",
       "add examples; 50 to 100 good ones show an effect",
       "OpenAI job error invalid_n_examples: must have at least 10 examples")
_error("file_too_large", "The file is larger than 8 GB, the most that can be uploaded",
       "split it or drop the rows that matter less", "OpenAI Uploads API: 8 GB in all")
_warning("few_examples", "[1 example|{n} examples] is a small set; an effect usually shows with 50 to 100",
         "add more examples if you can", f"{GUIDE}: 50 to 100 examples show an effect")
_warning("bom", "The file begins with a byte order mark (BOM)", "save it as UTF-8 without BOM",
         f"{JSON_RFC}, 8.1 forbids it; {SILENT}")
_warning("crlf", "Lines end in the Windows way (CR LF)", "nothing to do; LF alone is the safer form", SILENT)
_warning("cr_line_endings", "[1 line ends|{n} lines end] in a lone carriage return (old Mac way)",
         "save the file with LF line endings", SILENT)
_warning("blank_lines", "[1 line is|{n} lines are] blank", "delete the blank lines", SILENT)

# --- one line as JSON ------------------------------------------------------------------------------
_PARSE = "OpenAI job error invalid_file_format: cannot be parsed, line contains invalid json"
_error("invalid_json", "[1 row is|{n} rows are] not valid JSON", "correct the JSON at the place named", _PARSE)
_error("invalid_utf8", "[1 row has|{n} rows have] bytes that are not UTF-8", "save the file again as UTF-8",
       f"{JSON_RFC}, 8.1")
_error("nul_byte", "[1 row has|{n} rows have] a NUL byte", "remove the NUL bytes; the file may be damaged",
       f"{JSON_RFC}, 7")
_error("nan_or_infinity", "[1 row uses|{n} rows use] NaN or Infinity, which JSON does not have",
       "write null or a number", f"{JSON_RFC}, 6")
_error("lone_surrogate", "[1 row has|{n} rows have] half of a character (a lone surrogate)",
       "remove the broken escape, often half of an emoji", f"{JSON_RFC}, 8.2")
_error("huge_number", "[1 row has|{n} rows have] a number too large to read", "write the number as text",
       f"{JSON_RFC}, 6")
_error("python_dict", "[1 row is|{n} rows are] written as a Python dictionary, with single quotes",
       "write rows with json.dumps, so that names and texts stand in double quotes", _PARSE)
_error("several_objects", "[1 line holds|{n} lines hold] more than one object", "put each object on its own line",
       _PARSE)
_error("comment_line", "[1 line is|{n} lines are] a comment, which JSON does not have", "delete the comment lines",
       _PARSE)
_error("too_deep", "[1 row is|{n} rows are] nested too deep to read", "flatten the row; chat rows need few levels",
       f"{JSON_RFC}, 9 allows a limit")
_error("row_too_large", "[1 row is|{n} rows are] too large to be one example",
       "split the row; a line break may be missing", "limits of tokens and images per example")
_error("row_not_object", "[1 row is|{n} rows are] JSON, but not an object", "write each row as an object in braces",
       _JSONL)
_warning("duplicate_key", "[1 row has|{n} rows have] the same key twice; only the last value counts",
         "delete one of the two", f"{JSON_RFC}, 4: names should be unique")
_warning("nul_character", "[1 row has|{n} rows have] a NUL character in its text", "remove it", SILENT)
_warning("unicode_line_separator",
         "[1 row has|{n} rows have] an unusual line separator (U+2028 or alike) in its text; some tools cut there",
         "replace it with \\n if it was not meant", f"{JSON_RFC}, 7 allows it")

# --- another format ---------------------------------------------------------------------------------
_FORMAT = "OpenAI job error: unexpected file format, expected either prompt/completion pairs or chat messages"
_CHAT = 'write each as {"messages": [{"role": "user", …}, {"role": "assistant", …}]}'
_error("legacy_format", "[1 row is|{n} rows are] in the old prompt/completion format", _CHAT,
       "OpenAI deprecations: babbage-002 and davinci-002 were the last bases to take it")
_error("sharegpt_format", "[1 row is|{n} rows are] in ShareGPT format (`conversations`, from/value)", _CHAT, _FORMAT)
_error("alpaca_format", "[1 row is|{n} rows are] in Alpaca format (instruction/output)", _CHAT, _FORMAT)
_error("trl_preference_format", "[1 row is|{n} rows are] in TRL's preference format (chosen/rejected)",
       "write each with `input`, `preferred_output` and `non_preferred_output`", DPO)
_error("batch_api_format", "[1 row is|{n} rows are] a Batch API request, not training data",
       "use the conversations with their answers, not the requests", _FORMAT)
_error("gemini_format", "[1 row is|{n} rows are] in Gemini format (`contents`, parts)", _CHAT, _FORMAT)
_error("text_format", "[1 row has|{n} rows have] only a `text` field", _CHAT, _FORMAT)
_error("mixed_formats", "[1 row is|{n} rows are] in another format than the rest of the file",
       "keep one format in a file; put the others into their own", "together 1.5 check_file: one format a file")
_error("method_mismatch", "[1 row does|{n} rows do] not fit the chosen method", "choose the method the file is made for",
       "OpenAI job error: file is in the chat format, but the job is not using supervised")

# --- a chat row ----------------------------------------------------------------------------------------
_error("missing_messages", "[1 row has|{n} rows have] no `messages`", _CHAT,
       "OpenAI job error: Example X is missing key 'messages'")
_error("messages_not_list", "[1 row has|{n} rows have] `messages` that is not a list",
       "write `messages` as a list of role and content", SCHEMA)
_error("empty_messages", "[1 row has|{n} rows have] an empty `messages` list",
       "add the conversation or delete the row", SCHEMA)
_error("message_not_object", "[1 row has|{n} rows have] a message that is not an object",
       "write each message with a role and content", SCHEMA)
_error("unknown_key", "[1 row has|{n} rows have] a field that chat training does not take",
       "remove the field", "OpenAI job error: Example X contains an extra key")
_error("unknown_message_key", "[1 row has|{n} rows have] a message with a field its role does not take",
       "remove the field", f"{LLMCOMP}; {COOKBOOK}: message_unrecognized_key")
_error("missing_role", "[1 row has|{n} rows have] a message without a role",
       "say who speaks: system, user, assistant or tool", "OpenAI job error: Discriminator 'role' is missing")
_error("invalid_role", "[1 row uses|{n} rows use] a role that does not exist",
       "use system, user, assistant or tool", f"{COOKBOOK}: unrecognized_role")
_error("missing_content", "[1 row has|{n} rows have] a message without content",
       "add the text or delete the message", f"{COOKBOOK}: missing_content; {SCHEMA}")
_error("invalid_content", "[1 row has|{n} rows have] content that is neither text nor a list of parts",
       "write the content as text", SCHEMA)
_error("unknown_content_part", "[1 row has|{n} rows have] a content part that is not understood",
       'write parts as {"type": "text", "text": …} or {"type": "image_url", "image_url": {"url": …}}', SCHEMA)
_error("invalid_name", "[1 row has|{n} rows have] a `name` that is not text", "write the name as text", SCHEMA)
_error("no_assistant_message", "[1 row has|{n} rows have] no assistant reply, nothing to learn from",
       "add the reply or delete the row", f"{COOKBOOK}: example_missing_assistant_message")
_error("invalid_weight", "[1 row has|{n} rows have] a weight that is not 0 or 1 on an assistant message",
       "use 0 or 1, on assistant messages only", f"{GUIDE}: weight 0 or 1, assistant only")
_error("last_assistant_weight_zero", "[1 row gives|{n} rows give] the last assistant reply weight 0",
       "remove the weight or the reply", LLMCOMP)
_error("control_token", "[1 row contains|{n} rows contain] a control token of the tokenizer",
       "remove or reword the token", "OpenAI job error: message contains an invalid token")
_warning("template_token", "[1 row contains|{n} rows contain] a chat-template token such as `<|im_start|>`",
         "remove it; roles are given by `role`", f"{GUIDE} names others; {SILENT}")
_warning("empty_content", "[1 row has|{n} rows have] a message with empty content", "add the text or delete the row",
         f"the schema allows it, {COOKBOOK} refuses it")
_warning("last_not_assistant", "[1 row does|{n} rows do] not end with the assistant",
         "end with the reply that should be learned", f"{LLMCOMP} refuses it; the guide is silent")
_warning("no_user_message", "[1 row has|{n} rows have] no user message", "add what the assistant replies to",
         f"{COOKBOOK}: advice")
_warning("developer_role", "[1 row uses|{n} rows use] the role developer",
         "use system unless your base is known to take developer", f"{SCHEMA} has it, the guide does not")

# --- tools ------------------------------------------------------------------------------------------------
_TOOLS = "OpenAI fine-tuning guide, tool calling"
_error("invalid_tools", "[1 row has|{n} rows have] a tool definition of the wrong shape",
       'write {"type": "function", "function": {"name": …, "parameters": {…}}}', SCHEMA)
_error("invalid_tool_schema", "[1 row has|{n} rows have] tool parameters that are not a JSON Schema",
       "correct the parameters at the place named", f"{SCHEMA}: parameters are a JSON Schema object")
_error("too_many_tools", "[1 row defines|{n} rows define] more than 128 tools", "keep the tools that are used",
       "OpenAI API description: at most 128 tools")
_error("duplicate_tool", "[1 row defines|{n} rows define] the same tool twice", "keep one definition", _TOOLS)
_error("undefined_tool", "[1 row calls|{n} rows call] a tool that `tools` does not define",
       "add the definition to `tools` of the row", _TOOLS)
_error("invalid_tool_call", "[1 row has|{n} rows have] a tool call of the wrong shape",
       'write {"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}', SCHEMA)
_error("tool_arguments_not_json", "[1 row has|{n} rows have] tool arguments that are not JSON text",
       "write the arguments as a JSON object in a string", SCHEMA)
_error("duplicate_tool_call_id", "[1 row uses|{n} rows use] one tool call id twice", "give each call its own id", _TOOLS)
_error("missing_tool_call_id", "[1 row has|{n} rows have] a tool message without `tool_call_id`",
       "add the id of the call it answers", SCHEMA)
_error("unpaired_tool_message", "[1 row has|{n} rows have] a tool message that answers no call before it",
       "use the id of a call made just before", _TOOLS)
_error("unanswered_tool_call", "[1 row goes|{n} rows go] on without the result of a tool call",
       "add the tool message with the result", _TOOLS)
_error("invalid_parallel_tool_calls", "[1 row has|{n} rows have] a `parallel_tool_calls` that is not true or false",
       "write true or false", SCHEMA)
_warning("legacy_functions", "[1 row uses|{n} rows use] `functions` or `function_call`, the old form of tools",
         "use `tools` and `tool_calls`", f"{SCHEMA}: deprecated")

# --- images -----------------------------------------------------------------------------------------------
_error("image_not_from_user", "[1 row has|{n} rows have] an image outside a user message",
       "move the image into a user message", f"{VISION}: no images in assistant messages")
_error("too_many_images", "[1 row has|{n} rows have] more than 10 images", "keep at most 10 images in a row", VISION)
_error("invalid_image_url", "[1 row has|{n} rows have] an image that is neither an https address nor a data URL",
       "give the address of the image, or its bytes as data:image/png;base64,…", VISION)
_error("image_too_large", "[1 row has|{n} rows have] an image of more than 10 MB", "make the image smaller", VISION)
_error("invalid_image_detail", "[1 row has|{n} rows have] an image `detail` that is not low, high or auto",
       "use low, high or auto", SCHEMA)

# --- preference and reinforcement rows --------------------------------------------------------------------
_error("missing_input", "[1 row has|{n} rows have] no `input` object with messages",
       'write "input": {"messages": […]}', "OpenAI job error: Example X is missing key 'input'")
_error("invalid_output", "[1 row has|{n} rows have] a preferred or non-preferred output of the wrong shape",
       "write each output as a list with one assistant message", DPO)
_error("image_in_preference", "[1 row has|{n} rows have] an image in preference data", "preference data is text only", DPO)
_warning("same_outputs", "[1 row prefers|{n} rows prefer] an output over an identical one",
         "make the two outputs differ, or delete the row", f"{DPO}: two different outputs")
_warning("input_ends_with_assistant", "[1 row has|{n} rows have] an input that already ends with the assistant",
         "end the input with the user, the outputs are the reply", "together 1.5 check_file refuses it")
_error("last_not_user", "[1 row does|{n} rows do] not end with a user message", "end with what the model should answer",
       f"{RFT}: the last message is the user's")

# --- old base models ----------------------------------------------------------------------------------------
_error("invalid_pair", "[1 row has|{n} rows have] a prompt or completion that is not text",
       "write both as text", "OpenAI legacy fine-tuning guide")

# --- across rows ------------------------------------------------------------------------------------------
_warning("duplicate_examples", "[1 row repeats|{n} rows repeat] an earlier one exactly",
         "delete the repeats unless they are meant to weigh more", "OpenAI 0.28 prepare_data: duplicate rows")
_error("validation_overlap", "[1 row is|{n} rows are] also in the training file",
       "remove them here or there; a score on rows seen in training means nothing",
       "OpenAI API reference: training and validation data must not overlap")
_warning("over_token_limit", "[1 row is|{n} rows are] longer than the base's token limit; the rest is cut off",
         "shorten or split them", f"{GUIDE}: over-long examples are truncated from the end")
