"""Hold the installed packages against the known holes (pip-audit).

A package that could not be looked up is a failure and is named. A hole that must be lived with for now
stands in IGNORED with its reason; nothing else is passed over.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

IGNORED: dict[str, str] = {}
OURS = {"ftbot"}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text("\n".join(installed()) + "\n", "utf-8")
        answer, words = audit(requirements)
    if answer is None:
        print(words)
        print("FAILED: nothing could be audited (it needs the network)")
        return 1
    packages: list[dict[str, Any]] = answer["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    holes = [(package, hole) for package in packages for hole in package.get("vulns", ())]
    for package in skipped:
        print(f"not audited: {package['name']}: {package['skip_reason']}")
    for package, hole in holes:
        fixed = ", ".join(hole["fix_versions"]) or "no release yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}")
    print(f"{len(packages) - len(skipped)} packages audited, {len(skipped)} not, {len(holes)} holes")
    return 1 if skipped or holes else 0


def installed() -> list[str]:
    """`name==version` of all installed but our own; a local build (`2.13.0+cpu`) as its public version."""
    pins = {
        f"{found.metadata['Name']}=={found.version.split('+')[0]}"
        for found in metadata.distributions()
        if found.metadata["Name"] not in OURS
    }
    return sorted(pins)


def audit(requirements: Path) -> tuple[dict[str, Any] | None, str]:
    """pip-audit's answer, or None with its words when it has none."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    command += ["--no-deps", "--disable-pip", "--requirement", str(requirements)]
    for hole in IGNORED:
        command += ["--ignore-vuln", hole]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        return json.loads(done.stdout), done.stderr
    except json.JSONDecodeError:
        return None, done.stderr.strip()


if __name__ == "__main__":
    sys.exit(main())
