"""What every recorded benchmark writes: one JSON a day, machine and commit, with all that explains its numbers."""

import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent / "results"


def hardware() -> str:
    """The processor, or the card where there is one, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.is_file() else []
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def record(name: str, command: str, results: Any, folder: Path = FOLDER) -> Path:
    """Add a benchmark's results to ``<date>_<hardware>_<commit>.json``, beside those of others.

    Args:
        name: of the benchmark.
        command: that was given.
        results: plain values; None for what could not be measured.
        folder: where.
    Returns:
        the file.
    """
    now, commit = datetime.now(UTC), _git("rev-parse", "--short=9", "HEAD")
    machine = re.sub(r"[^a-z0-9]+", "-", hardware().lower()).strip("-")
    path = folder / f"{now:%Y-%m-%d}_{machine}_{commit}.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    content[name] = {
        "metadata": {
            "utc": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "commit": commit,
            "changed_since_commit": bool(_git("status", "--porcelain", "--untracked-files=no")),
            "command": command,
            "hardware": hardware(),
            "threads": torch.get_num_threads(),
            "load_average": os.getloadavg()[0],
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "results": results,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def ratio_interval(ours: list[float], theirs: list[float], seed: int = 0) -> dict[str, float]:
    """Median time of one thing over that of another, both taken in turns.

    Args:
        ours, theirs: seconds of each block's steps, block after block: equally many of each.
        seed: of the resampling.
    Returns:
        ``ratio`` of the medians, ``low`` and ``high``: its 95 % bootstrap interval, pairs of neighbours resampled
        together, so that what slowed both down counts for neither.
    """
    a, b = np.asarray(ours), np.asarray(theirs)
    chosen = np.random.default_rng(seed).integers(0, len(a), (2000, len(a)))
    resampled = np.median(a[chosen], axis=1) / np.median(b[chosen], axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"ratio": float(np.median(a) / np.median(b)), "low": float(low), "high": float(high)}


def _git(*arguments: str) -> str:
    """Its answer, or ``unknown`` outside a checkout."""
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
