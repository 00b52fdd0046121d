"""The command line of a training process; with several GPUs, of `accelerate launch` and one process a GPU."""

from __future__ import annotations

import sys
from pathlib import Path

LAUNCH = (
    "--multi_gpu",
    "--num_machines=1",
    "--gpu_ids=all",
    "--mixed_precision=no",  # the model is loaded in the type it computes in
    "--dynamo_backend=no",
    "--main_process_port=0",
    "--module",
)
PROGRAM = "trainserver.train"
CANNOT_WRITE = 74
"""Exit code of a process that could not even write down why it ends; the server does it then."""


def command(data: Path, config: Path | None, job_id: str, processes: int) -> list[str]:
    """How a job is started; `processes` train it together, each on a GPU of its own."""
    launcher = [PROGRAM]
    if processes > 1:
        launcher = ["accelerate.commands.launch", f"--num_processes={processes}", *LAUNCH, PROGRAM]
    settings = [] if config is None else ["--config", str(config)]
    return [sys.executable, "-m", *launcher, "--data", str(data), *settings, job_id]
