"""The check: one streaming pass over a file, bounded in memory, to a :class:`Report`."""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuning.datasets.columns import Columns, add_columns
from tuning.datasets.crew import MOST_WORKERS, Crew, workers_for
from tuning.datasets.findings import Findings, Sink
from tuning.datasets.hashing import Hasher
from tuning.datasets.limits import STANDARD, size_words
from tuning.datasets.lines import CHUNK, parts
from tuning.datasets.pricing import LEGACY_BASES, BaseInfo, cost_of, strip_fine_tuned
from tuning.datasets.reading import HEAD, sample
from tuning.datasets.repeats import Repeats, in_order
from tuning.datasets.report import Report
from tuning.datasets.scanning import SHAPE_OF_METHOD, Part, Plan, job
from tuning.datasets.shapes import FOREIGN, METHODS, Shape
from tuning.datasets.sniffing import sniff_bytes
from tuning.datasets.tokens import DEFAULT_ENCODING, ENCODINGS, TokenCounter
from tuning.datasets.traits import Traits

MIN_EXAMPLES = 10
"""OpenAI job error ``invalid_n_examples``: a training file must have at least 10 examples."""
GOOD_EXAMPLES = 50
QUICK_FROM = 32 << 20
"""From this size on the fast tokenizer wins back the time it takes to load."""
FEEDERS = 2
"""Workers that keep this process busy while it counts tokens; more would take memory and gain nothing."""

Progress = Callable[[int, int], object]
"""Called now and then with how many bytes are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a file is worked through: what does not change a report. ``workers`` None: as the file is worth."""

    progress: Progress | None = None
    workers: int | None = None
    chunk: int = CHUNK
    tokens: bool = True


def check_file(
    path: Path,
    *,
    name: str | None = None,
    method: str | None = None,
    base: BaseInfo | None = None,
    epochs: int | Literal["auto"] = "auto",
    validation: bool = False,
    against: Path | None = None,
    sink: Sink | None = None,
    progress: Progress | None = None,
    pace: Pace | None = None,
) -> Report:
    """Check a dataset file; every problem at once, with the lines of the file as it is.

    ``method`` overrides what the rows look like; ``base`` gives encoding, limit and price; a
    ``validation`` file may have fewer than 10 examples; ``against`` is a training file this one must
    not overlap with; ``sink`` gets every single finding, repeated rows last; ``progress`` hears how far
    the check is. Large files are checked by workers beside this process; it returns when they are done,
    so a program with an event loop calls it in a thread or process of its own.

    Raises ``OSError`` when a file cannot be read or changes meanwhile and ``ValueError`` for an unknown
    method; nothing in the file's bytes makes it raise.
    """
    if method is not None and method not in SHAPE_OF_METHOD:
        raise ValueError(f"unknown method {method!r}; use supervised, dpo or reinforcement")
    pace = pace or Pace(progress)
    check = _Check(method, base, validation, sink)
    if against is not None:
        check.training, check.columns = _training(against, pace, method)
    size, sha256 = check.read(path, pace)
    return check.report(name or path.name, sha256, size, epochs)


def _training(path: Path, pace: Pace, method: str | None) -> tuple[Sequence[int], Columns | None]:
    """Fingerprints, in order, of every row of ``path`` that holds a JSON object; the columns for a grader."""
    prints, columns = array("Q"), dict[str, int]()
    workers = workers_for(path.stat().st_size) if pace.workers is None else pace.workers
    with path.open("rb") as stream:
        shape, _ = sample(path)
        plan = Plan(os.fsencode(path), shape, method, weigh=False)
        with Crew(job(plan), parts(stream, size=pace.chunk), workers) as crew:
            for _, part in crew:
                prints.frombytes(part.prints)
                add_columns(part.columns, columns)
    return in_order(prints), Columns.of(columns)


def _changed(path: Path) -> OSError:
    return OSError(f"{path.name} changed while it was read; check it again")


class _Check:
    """The state of one pass, put together from what was seen in the parts of the file."""

    def __init__(
        self, method: str | None, base: BaseInfo | None, validation: bool, sink: Sink | None
    ) -> None:
        self.findings = Findings(sink)
        self.sink = sink
        self.method = method
        self.base = base
        self.validation = validation
        self.encoding = (base.encoding if base else None) or DEFAULT_ENCODING
        self.exact = base is None or (base.exact and base.encoding in ENCODINGS)
        if self.encoding not in ENCODINGS:
            self.encoding = DEFAULT_ENCODING
        self.tokens: TokenCounter | None = None
        self.training: Sequence[int] = ()
        self.columns: Columns | None = None
        self.seen_columns: dict[str, int] = {}
        self.limits = base.limits if base else STANDARD
        self.traits = Traits()
        self.repeats = Repeats()
        self.shape: Shape = "unknown"
        self.lines = self.rows = self.examples = self.bad_rows = self.crlf = self.pictured = 0
        self.whole_file = False

    # --- reading ---------------------------------------------------------------------------------
    def read(self, path: Path, pace: Pace) -> tuple[int, str]:
        """Look at the file once (twice at its beginning); gives its size and SHA-256."""
        before = path.stat()
        with path.open("rb") as stream:
            head = stream.read(HEAD)
        code = sniff_bytes(head) if head else "empty_file"
        if code is None:
            self.shape, code = sample(path)
        if code is not None:
            self.whole_file = True
            self.findings.add_whole(code)
        with Hasher(path, before.st_size) as hasher:
            if not self.whole_file:
                self._parts(path, before.st_size, hasher, pace)
            size, sha256 = hasher.result()
        if size > self.limits.max_bytes:
            takes = f"{self.limits.label} takes {size_words(self.limits.max_bytes)}"
            self.findings.add_whole("file_too_large", detail=f"{size_words(size)}; {takes}")
        after = path.stat()
        if (size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise _changed(path)
        return size, sha256

    def _parts(self, path: Path, size: int, hasher: Hasher, pace: Pace) -> None:
        plan = Plan(
            os.fsencode(path),
            self.shape,
            self.method,
            takes_pairs=self.base is not None and strip_fine_tuned(self.base.model) in LEGACY_BASES,
            every=self.sink is not None,
            weigh=pace.tokens,
            limits=self.limits,
            columns=self.columns,
        )
        quick = pace.tokens and size >= QUICK_FROM
        most = FEEDERS if quick else MOST_WORKERS
        workers = workers_for(size, most) if pace.workers is None else pace.workers
        with (
            path.open("rb") as stream,
            Crew(job(plan), parts(stream, size=pace.chunk), workers, helps=not quick) as crew,
        ):
            if size > pace.chunk:
                hasher.begin()
            if pace.tokens:  # loaded while the workers are at it
                self.tokens = TokenCounter(self.encoding, quick)
            for done, part in crew:
                self._absorb(part)
                if pace.progress is not None:
                    pace.progress(done, size)
        self._repeated()

    def _absorb(self, part: Part) -> None:
        """Take over what was seen in the next part."""
        self.findings.absorb(part.groups, self.lines)
        if self.sink is not None:
            for line, code, detail in part.every:
                self.sink(line + self.lines, code, detail)
        places = array("Q", (line + self.lines for line in array("Q", part.places)))
        prints = array("Q", part.prints)
        self.repeats.extend(prints, places)
        if len(self.training):
            self._overlap(prints, places, part.bad)
        self.traits.see(part)
        if self.tokens is not None and part.load is not None:
            limit = self.base.token_limit if self.base else None
            over = sys.maxsize if limit is None else limit
            for line, tokens in self.tokens.add(part.load, self.lines, over):
                self.findings.add("over_token_limit", line, f"{tokens:,} tokens of {limit:,}")
        self.rows += part.rows
        self.examples += part.examples
        self.bad_rows += part.bad_rows
        self.pictured += part.pictured
        add_columns(part.columns, self.seen_columns)
        self.crlf += part.crlf
        self.lines += part.lines

    def _overlap(self, prints: array[int], places: array[int], bad: bytes) -> None:
        for number, line, was_bad in zip(prints, places, bad, strict=True):
            place = bisect_left(self.training, number)
            if place < len(self.training) and self.training[place] == number:
                self.findings.add("validation_overlap", line)
                self.bad_rows += not was_bad

    def _repeated(self) -> None:
        if self.crlf:
            self.findings.add_whole("crlf", self.crlf)
        for line in in_order(array("Q", self.repeats.find())):
            self.findings.add("duplicate_examples", line)

    # --- the verdict -----------------------------------------------------------------------------
    def report(self, name: str, sha256: str, size: int, epochs: int | Literal["auto"]) -> Report:
        """Put together what was seen."""
        for shape in FOREIGN:
            if self.examples and self.findings.count(f"{shape}_format") == self.examples:
                self.findings.make_whole(f"{shape}_format")
        self._count_examples()
        problems = self.findings.problems()
        method = self.method or METHODS.get(self.shape)
        limit = self.base.token_limit if self.base else None
        tokens = self.tokens.summary(self.encoding, limit, self.exact) if self.tokens else None
        billed = self.tokens.billed(limit) if self.tokens else 0
        return Report(
            file=name,
            sha256=sha256,
            bytes=size,
            method=method,
            examples=self.examples,
            rows=self.rows,
            verdict="reject" if any(p.severity == "error" for p in problems) else "accept",
            problems=problems,
            tokens=tokens,
            cost=cost_of(billed, self.examples, self.base, epochs, method) if tokens else None,
            bad_rows=self.bad_rows,
            system_prompt=self.traits.system_prompt(),
            tools=self.traits.shared_tools(),
            multi_system=self.traits.multi_system(),
            pictured=self.pictured,
            columns=self.seen_columns,
        )

    def _most_examples(self) -> int | None:
        return self.limits.examples(self.shape == "reinforcement", self.validation)

    def _count_examples(self) -> None:
        """Rows that could be read once corrected count towards the minimum; their errors block anyway."""
        if self.whole_file:
            return
        if not self.rows:
            self.findings.forget("blank_lines")
            self.findings.add_whole("no_rows")
        elif (most := self._most_examples()) is not None and self.examples > most:
            takes = f"{self.examples:,}; {self.limits.label} takes {most:,}"
            self.findings.add_whole("too_many_examples", self.examples, takes)
        elif self.limits.pictures and self.pictured > self.limits.max_pictured:
            takes = f"{self.pictured:,}; {self.limits.label} takes {self.limits.max_pictured:,}"
            self.findings.add_whole("too_many_pictured", self.pictured, takes)
        elif not self.validation and self.rows - self.findings.count("comment_line") < MIN_EXAMPLES:
            self.findings.add_whole("too_few_examples", self.examples)
        elif not self.validation and self.examples < GOOD_EXAMPLES and self.shape == "chat":
            self.findings.add_whole("few_examples", self.examples)
