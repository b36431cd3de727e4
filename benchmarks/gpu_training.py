"""How fast do the recipes train on a GPU, in how much memory, and does the card ever wait for data?

    python benchmarks/gpu_training.py [--recipes clip64,clip128,clip256] [--steps 100] [--workers 0,4,8]
        [key=value ...]

Of each recipe and number of workers: frames a second (made and learned from), the card's peak memory, and the share of
the time in which a step had to wait for its batch. Afterwards how often one step made the host wait for the card, as
CUDA itself counts it. ``key=value`` changes the recipes, ``train.compile=true`` say. Results go to benchmarks/results.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from clip_steps import time_recipe
from record import hardware, record


def waits_in_a_step(recipe: str, overrides: list[str], room: Path) -> int:
    """How often CUDA says that the host waited, in ten steps more against ten less, a step."""
    counts = []
    for steps in (10, 20):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                time_recipe(recipe, overrides, room, torch.device("cuda"), steps)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counts.append(sum("synchroniz" in str(w.message) for w in caught))
    return round((counts[1] - counts[0]) / 10)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", default="clip64,clip128,clip256")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--workers", default="0,4,8")
    parser.add_argument("overrides", nargs="*", help="key=value")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit(
            "gpu_training: this machine has no CUDA device; benchmarks/throughput.py measures on the CPU"
        )
    device = torch.device("cuda")
    print(hardware())
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        for recipe in options.recipes.split(","):
            for workers in options.workers.split(","):
                wanted = [f"data.workers={workers}", *options.overrides]
                found = time_recipe(recipe, wanted, room, device, options.steps)
                results[f"{recipe}, {workers} workers"] = found
                print(
                    f"{recipe}, {workers} workers: {found['frames_per_sec']:.0f} frames/s, {found['step_sec']:.3f} s a "
                    f"step, {found['peak_gib']:.1f} GiB, {100 * found['waiting_share']:.1f} % waiting for data",
                    flush=True,
                )
            waits = waits_in_a_step(recipe, [f"data.workers={workers}", *options.overrides], room)
            results[recipe] = {"waits_in_a_step": waits}
            print(f"{recipe}: the host waits {waits} times in a step", flush=True)
    print(record("gpu_training", " ".join(["python", *sys.argv]), results))


if __name__ == "__main__":
    main()
