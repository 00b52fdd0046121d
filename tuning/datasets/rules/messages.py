"""Rules for a chat row and its messages."""

from __future__ import annotations

from tuning.datasets.rules.rule import (
    AS_CHAT,
    COOKBOOK,
    GUIDE,
    LLMCOMP,
    SCHEMA,
    SILENT,
    VISION,
    Rule,
    error,
    warning,
)

RULES: tuple[Rule, ...] = (
    error(
        "missing_messages",
        "[1 row has|{n} rows have] no `messages`",
        AS_CHAT,
        "OpenAI job error: Example X is missing key 'messages'",
    ),
    error(
        "messages_not_list",
        "[1 row has|{n} rows have] `messages` that is not a list",
        "write `messages` as a list of role and content",
        SCHEMA,
    ),
    error(
        "empty_messages",
        "[1 row has|{n} rows have] an empty `messages` list",
        "add the conversation or delete the row",
        SCHEMA,
    ),
    error(
        "message_not_object",
        "[1 row has|{n} rows have] a message that is not an object",
        "write each message with a role and content",
        SCHEMA,
    ),
    error(
        "unknown_key",
        "[1 row has|{n} rows have] a field that chat training does not take",
        "remove the field",
        "OpenAI job error: Example X contains an extra key",
    ),
    error(
        "unknown_message_key",
        "[1 row has|{n} rows have] a message with a field its role does not take",
        "remove the field",
        f"{LLMCOMP}; {COOKBOOK}: message_unrecognized_key",
    ),
    error(
        "missing_role",
        "[1 row has|{n} rows have] a message without a role",
        "say who speaks: system, user, assistant or tool",
        "OpenAI job error: Discriminator 'role' is missing",
    ),
    error(
        "invalid_role",
        "[1 row uses|{n} rows use] a role that does not exist",
        "use system, user, assistant or tool",
        f"{COOKBOOK}: unrecognized_role",
    ),
    error(
        "missing_content",
        "[1 row has|{n} rows have] a message without content",
        "add the text or delete the message",
        f"{COOKBOOK}: missing_content; {SCHEMA}",
    ),
    error(
        "invalid_content",
        "[1 row has|{n} rows have] content that is neither text nor a list of parts",
        "write the content as text",
        SCHEMA,
    ),
    error(
        "unknown_content_part",
        "[1 row has|{n} rows have] a content part that is not understood",
        'write parts as {"type": "text", "text": …} or {"type": "image_url", "image_url": {"url": …}}',
        SCHEMA,
    ),
    error(
        "invalid_name",
        "[1 row has|{n} rows have] a `name` that is not text",
        "write the name as text",
        SCHEMA,
    ),
    error(
        "no_assistant_message",
        "[1 row has|{n} rows have] no assistant reply, nothing to learn from",
        "add the reply or delete the row",
        f"{COOKBOOK}: example_missing_assistant_message",
    ),
    error(
        "invalid_weight",
        "[1 row has|{n} rows have] a weight that is not 0 or 1 on an assistant message",
        "use 0 or 1, on assistant messages only",
        f"{GUIDE}: weight 0 or 1, assistant only",
    ),
    error(
        "last_assistant_weight_zero",
        "[1 row gives|{n} rows give] the last assistant reply weight 0",
        "remove the weight or the reply",
        LLMCOMP,
    ),
    error(
        "control_token",
        "[1 row contains|{n} rows contain] a control token of the tokenizer",
        "remove or reword the token",
        "OpenAI job error: message contains an invalid token",
    ),
    warning(
        "template_token",
        "[1 row contains|{n} rows contain] a chat-template token such as `<|im_start|>`",
        "remove it, roles are given by `role`; the guide names other tokens than this",
        f"{GUIDE} names others; {SILENT}",
    ),
    warning(
        "empty_content",
        "[1 row has|{n} rows have] a message with empty content",
        "add the text or delete the row; OpenAI's schema allows it, its notebook refuses it",
        f"the schema allows it, {COOKBOOK} refuses it",
    ),
    warning(
        "last_not_assistant",
        "[1 row does|{n} rows do] not end with the assistant",
        "end with the reply that should be learned; the guide is silent, users saw it refused",
        f"{LLMCOMP} refuses it; the guide is silent",
    ),
    warning(
        "no_user_message",
        "[1 row has|{n} rows have] no user message",
        "add what the assistant replies to",
        f"{COOKBOOK}: advice",
    ),
    warning(
        "developer_role",
        "[1 row uses|{n} rows use] the role developer",
        "use system unless your base takes developer; the schema has it, the guide does not",
        f"{SCHEMA} has it, the guide does not",
    ),
    error(
        "image_not_from_user",
        "[1 row has|{n} rows have] an image outside a user message",
        "move the image into a user message",
        f"{VISION}: no images in assistant messages",
    ),
    error(
        "pictures_not_taken",
        "[1 row has|{n} rows have] pictures, which the provider does not train on",
        "leave the pictures out, or train at a provider that takes them",
        "the profile of the provider",
    ),
    error(
        "too_many_images",
        "[1 row has|{n} rows have] more images than the provider takes",
        "keep fewer images in the row, or make several rows of it",
        VISION,
    ),
    error(
        "invalid_image_url",
        "[1 row has|{n} rows have] an image that is neither an https address nor a data URL",
        "give the address of the image, or its bytes as data:image/png;base64,…",
        VISION,
    ),
    error(
        "unsupported_image_type",
        "[1 row has|{n} rows have] an image that is not JPEG, PNG or WEBP",
        "save the image as one of these",
        VISION,
    ),
    error(
        "image_too_large",
        "[1 row has|{n} rows have] an image larger than the provider takes",
        "make the image smaller",
        VISION,
    ),
    error(
        "invalid_image_detail",
        "[1 row has|{n} rows have] an image `detail` that is not low, high or auto",
        "use low, high or auto",
        SCHEMA,
    ),
)
