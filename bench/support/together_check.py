"""Runs in the bench's own environment: times together's ``check_file``, prints seconds and CPU seconds."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ["TOGETHER_NO_BANNER"] = "1"
from together.utils.files import check_file

before = time.process_time()
start = time.perf_counter()
report = check_file(Path(sys.argv[1]))
seconds = time.perf_counter() - start
assert report["is_check_passed"], report
print(seconds, time.process_time() - before)
