"""What is kept of a run: how it ended, what it cost, and where it ran. Written last, so what has one is finished."""

import json
import os
import platform
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from pydantic import ValidationError

from ..config import Section
from ..evaluation.journal import code_hash
from ..evaluation.results import versions, write_atomically

OUTCOME_FILE = "outcome.json"
TRAINED_FILE = "trained.json"


class Origin(Section):
    """Where a run ran, and by which code.

    Attributes: commit (of a checkout, with ``+`` where files were changed since; "" elsewhere), code (SHA-256 of the
    package's sources), hardware and threads, versions of what can move a number.
    """

    commit: str
    code: str
    hardware: str
    threads: int
    versions: dict[str, str]


class Trained(Section):
    """A training that ended by itself.

    Attributes:
        steps: taken in all.
        diverged: why it stopped early; "" where it did not.
        seconds_per_step: median over the log; None where nothing was logged.
        peak_memory_gb: largest resident memory of the process that trained, GiB.
        device_memory_gb: largest memory held on the graphics card, GiB; None on a CPU.
    """

    steps: int
    diverged: str
    seconds_per_step: float | None
    peak_memory_gb: float
    device_memory_gb: float | None


class Outcome(Section):
    """A run that needs no more doing, or one that failed and may be tried again.

    Attributes:
        key: of the run, see :mod:`.plan`.
        status: ``finished``, ``diverged`` (a result: it would again), or ``failed`` (tried again when the command is
            repeated).
        reason: of the last two, one line.
        trained: None where the training itself failed.
        generator_parameters, critic_parameters: how many weights learn; None where nothing was scored.
        gmac_per_frame: 10^9 multiply-adds to make one frame, see :func:`.costs.macs_per_frame`.
    """

    key: str
    status: Literal["finished", "diverged", "failed"]
    reason: str = ""
    trained: Trained | None = None
    generator_parameters: int | None = None
    critic_parameters: int | None = None
    gmac_per_frame: float | None = None
    origin: Origin

    @property
    def is_settled(self) -> bool:
        """Whether doing it again would change nothing."""
        return self.status != "failed"


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Whole or not at all."""
    write_atomically(folder / OUTCOME_FILE, outcome.model_dump_json(indent=1) + "\n")


def read_outcome(folder: Path, key: str) -> Outcome | None:
    """Of this very run; None where there is none, or a damaged one."""
    try:
        found = Outcome.model_validate_json((folder / OUTCOME_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.key == key else None


def write_trained(folder: Path, trained: Trained) -> None:
    """Whole or not at all."""
    write_atomically(folder / TRAINED_FILE, trained.model_dump_json(indent=1) + "\n")


def read_trained(folder: Path) -> Trained | None:
    """None where the training has not ended."""
    try:
        return Trained.model_validate(json.loads((folder / TRAINED_FILE).read_bytes()))
    except (OSError, ValueError):
        return None


def this_place() -> Origin:
    """Of this process."""
    return Origin(
        commit=_commit(),
        code=code_hash(),
        hardware=_hardware(),
        threads=torch.get_num_threads(),
        versions=versions(),
    )


def _hardware() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    file = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", file.read_text(encoding="utf-8")) if file.is_file() else []
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


@lru_cache(1)
def _commit() -> str:
    here = Path(__file__).parent
    try:
        found, changed = (
            subprocess.run(
                ["git", *words], cwd=here, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (
                ("rev-parse", "--short=9", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no", "--", str(here.parent)),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found + "+" * bool(changed)
