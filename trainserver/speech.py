# pyright: basic
# transformers and torch are only partly typed.
"""The text of an answer while its tokens come, told only as far as nothing can change it any more."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

from trainserver.vocabulary import Vocabulary

Decode = Callable[[Sequence[int]], str]


class Bytes:
    """Text of a tokenizer whose tokens are bytes: each token is read once."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        """What is certain of the text after this token; half characters wait for their other half."""
        return self._decoder.decode(self._words.bytes(token))

    def end(self) -> str:
        """What was waited for in vain."""
        return self._decoder.decode(b"", final=True)


class Window:
    """Text of any other tokenizer: tokens may look different side by side, so each is read twice."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._told: list[int] = []
        self._new: list[int] = []

    def add(self, token: int) -> str:
        self._new.append(token)
        text = self.end()
        if not text or text.endswith("\ufffd"):
            return ""
        self._told, self._new = self._new, []
        return text

    def end(self) -> str:
        before = len(self._decode(self._told)) if self._told else 0
        return self._decode(self._told + self._new)[before:] if self._new else ""


class Speech:
    """What one answer says. `text` is all of it, cut before a stop string once there is one."""

    def __init__(self, words: Vocabulary, stops: Sequence[str]) -> None:
        self._words = words
        self._stops = stops
        self._reader = Bytes(words) if words.of_bytes else Window(words.decode)
        self._told = 0
        self.text = ""
        self.stopped = False

    def add(self, token: int) -> None:
        """One more token; `stopped` says afterwards whether a stop string came."""
        if token not in self._words.silent:
            self._more(self._reader.add(token))

    def end(self) -> None:
        """There is no more."""
        if not self.stopped:
            self._more(self._reader.end())

    def _more(self, new: str) -> None:
        if not new:
            return
        begin = len(self.text)
        self.text += new
        found = (self.text.find(stop, max(0, begin - len(stop) + 1)) for stop in self._stops)
        cut = min((place for place in found if place >= 0), default=None)
        if cut is not None:
            self.text, self.stopped = self.text[:cut], True

    def fresh(self, *, ended: bool) -> str:
        """What can be told now and was not told yet."""
        sure = len(self.text) - (0 if ended or self.stopped else doubtful(self.text, self._stops))
        text = self.text[self._told : sure]
        self._told = max(self._told, sure)
        return text


def doubtful(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may turn out to begin a stop string."""
    begun = 0
    for stop in stops:
        for length in range(min(len(stop) - 1, len(text)), begun, -1):
            if text.endswith(stop[:length]):
                begun = length
                break
    return begun
