"""Where benchmarks keep their figures: results/<date>_<hardware>_<commit>.json, an entry for each command."""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import torch

from temporal_gan.evaluation.results import versions, write_atomically

RESULTS = Path(__file__).parent / "results"


def own_command() -> str:
    """The command line that is running; of absolute paths, which mean nothing elsewhere, the last name."""
    shown = [Path(word).name if word.startswith("/") else word for word in sys.argv[1:]]
    return " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *shown])


def hardware() -> str:
    """The processor and how many of it this process may use; the GPU where there is one."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        name = f"{_processor()} {cores} cores {torch.get_num_threads()} threads"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def commit() -> str:
    """Of the code that runs, with a plus where the working tree differs from it."""
    folder = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unversioned"
    return found.stdout.strip()


def write_record(command: str, figures: dict[str, object], folder: Path = RESULTS) -> Path:
    """Add a benchmark's figures to the record of this day, hardware and commit.

    Args:
        command: names the entry; that of an earlier run of the same command is replaced.
        figures: plain types, no NaN.
        folder: of the records.
    Returns:
        the file.
    """
    file = folder / f"{date.today().isoformat()}_{hardware()}_{commit()}.json"
    entries = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    entries[command] = {"hardware": hardware(), "versions": versions(), **figures}
    write_atomically(file, [json.dumps(entries, indent=1, allow_nan=False), "\n"])
    return file


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
