"""A synthetic chat file: English words as often as Python's own manual uses them, rare words, ids, code,
Korean and German.

``python bench/support/chats.py FILE MEGABYTES`` writes it; the same seed gives the same bytes on one Python.
About 1 % of the rows stand twice, so that a check has duplicates to find.
"""

from __future__ import annotations

import json
import pydoc_data.topics
import random
import re
import sys
from collections import Counter
from itertools import accumulate
from pathlib import Path

SEED = 7
PROMPTS = (
    "You are the support desk of a shop. Answer in one short paragraph.",
    "You sort tickets into one of nine queues and name how urgent each one is.",
    "Du antwortest höflich und kurz.",
    "친절하고 짧게 대답하세요.",
)
SYLLABLES = tuple(re.findall(".{2}", "bacedifoguhajikolumeniporesitovuwexayozuchthsh"))
KOREAN = (
    "주문",
    "배송",
    "환불",
    "언제",
    "도착",
    "안내",
    "확인",
    "고객님",
    "주소",
    "변경",
    "결제",
    "오류",
    "문의",
)
CODE = "def total(rows):\n    return sum(row['price'] * row.get('count', 1) for row in rows if row)\n"
ENDS = (".", ".", ".", "?", "!", ":\n-", ".\n", ",")


class Writer:
    """Makes rows of one to three turns, 1.8 kB on average."""

    def __init__(self, seed: int = SEED) -> None:
        self.random = random.Random(seed)
        manual = " ".join(pydoc_data.topics.topics.values())
        counts = Counter(re.findall(r"[A-Za-z][a-z']+", manual))
        self.words = list(counts)
        self.weights = list(accumulate(counts.values()))

    def text(self, length: int) -> str:
        """About ``length`` words in sentences; every thirtieth is an id, every twelfth rare."""
        if self.random.random() < 0.08:
            return " ".join(self.random.choices(KOREAN, k=length // 2 + 1)) + "."
        words = self.random.choices(self.words, cum_weights=self.weights, k=length)
        for place in range(self.random.randrange(12), length, 12):
            words[place] = "".join(self.random.choices(SYLLABLES, k=self.random.randrange(2, 5)))
        for place in range(self.random.randrange(30), length, 30):
            words[place] = f"#{self.random.randrange(10**7)}"
        start = 0
        while start < length:
            stop = min(length - 1, start + self.random.randrange(4, 16))
            words[start] = words[start].capitalize()
            words[stop] += self.random.choice(ENDS)
            start = stop + 1
        return " ".join(words) + (f"\n{CODE}" if self.random.random() < 0.08 else "")

    def row(self) -> bytes:
        """One line of the file, written as ``json.dumps`` does."""
        messages = [{"role": "system", "content": self.random.choice(PROMPTS)}]
        for _ in range(self.random.choice((1, 1, 2, 3))):
            messages.append({"role": "user", "content": self.text(self.random.randrange(8, 120))})
            messages.append({"role": "assistant", "content": self.text(self.random.randrange(20, 260))})
        return json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n"


def write(path: Path, size: int) -> None:
    """Write ``size`` bytes of rows (a little more: the last row is whole)."""
    writer, written = Writer(), 0
    with path.open("wb") as out:
        while written < size:
            row = writer.row() * (2 if writer.random.random() < 0.01 else 1)
            written += out.write(row)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(float(sys.argv[2]) * 1e6))
