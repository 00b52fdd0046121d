"""A program of its own: a Parquet table in, one JSON object a row out.

    python -I table_reader.py FILE MOST_BYTES MEMORY

It ends with 1 when more than ``MOST_BYTES`` would be written, and takes no more than ``MEMORY`` bytes of
address space. A damaged table may end it in any way.
"""

# The reader's rows have no types.
# pyright: basic
from __future__ import annotations

import resource
import sys
from typing import BinaryIO

import orjson
from arro3.io import read_parquet


def write_rows(file: str, most: int, out: BinaryIO) -> bool:
    """Write every row; False when there is more than ``most`` bytes of them."""
    written = 0
    for batch in read_parquet(file):
        for row in iter(batch.to_struct_array()):  # pyright: ignore
            line = orjson.dumps(row.as_py(), default=str, option=orjson.OPT_NON_STR_KEYS)
            written += len(line) + 1
            if written > most:
                return False
            out.write(line + b"\n")
    out.flush()
    return True


if __name__ == "__main__":
    memory = int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(0 if write_rows(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer) else 1)
