"""Runs in the bench's own environment: ``json.loads`` and tiktoken, prints seconds, CPU seconds, tokens."""

from __future__ import annotations

import json
import sys
import time

import tiktoken

encoding = tiktoken.get_encoding("o200k_base")
before = time.process_time()
start = time.perf_counter()
tokens = 0
with open(sys.argv[1], encoding="utf-8", newline="\n") as lines:
    for line in lines:
        tokens += 3
        for message in json.loads(line)["messages"]:
            tokens += 3 + sum(len(encoding.encode(text, disallowed_special=())) for text in message.values())
print(time.perf_counter() - start, time.process_time() - before, tokens)
