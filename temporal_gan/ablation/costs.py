"""What a run costs: weights, multiply-adds, time, memory."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..checkpoint import list_checkpoints, load_checkpoint
from ..run_log import read_stats


def macs_per_frame(make: Callable[[], Any], frames: int) -> float:
    """10^9 multiply-adds that making one frame takes.

    Counted by ``torch.utils.flop_counter`` in one call: convolutions, matrix products and attention. What it does not
    know (sampling of warped references, norms, sums) is not in it. Half of its floating-point operations.

    Args:
        make: makes a clip.
        frames: that it has.
    """
    with FlopCounterMode(display=False) as counter:
        make()
    return counter.get_total_flops() / 2 / frames / 1e9


def seconds_per_step(run: Path) -> float | None:
    """Median over the lines of a run's log; previews, validation and saving are not in it. None without a log."""
    lines = read_stats(run / "stats.jsonl")
    known = [line["time/step_sec"] for line in lines if "time/step_sec" in line]
    # The first line holds what happens once: kernels are chosen, memory is taken.
    return median(known[1:] or known) if known else None


def peak_memory_gb() -> float:
    """Largest resident memory of this process so far, GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak * (1 if sys.platform == "darwin" else 1024) / 2**30


def device_memory_gb() -> float | None:
    """Largest memory that tensors held on the graphics card so far, GiB; None without one."""
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None


def critic_parameters(run: Path) -> int:
    """Weights of all critics in a run's newest checkpoint; 0 where there are none."""
    found = list_checkpoints(run / "checkpoints")
    if not found:
        return 0
    critics = load_checkpoint(found[-1][1])["critics"]
    return sum(tensor.numel() for tensor in critics.values())
