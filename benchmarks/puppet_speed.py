"""How fast is the puppet drawn and written, and does its memory stay flat?

    python benchmarks/puppet_speed.py [--clips 60] [--size 128] [--memory-clips 200,2000]

Prints frames a second of one process for pictures alone, with part map and exact flow both ways, and for a store
written without truth, over all characters, motions and expressions: by the clock, and by processor time, which other
programs on the machine disturb less. Then the clock time of stores written by 1, 2 and 4 processes, and the greatest
memory of a process that writes stores of small clips.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from temporal_gan.puppet import PuppetSpec, random_specs, render_clip
from temporal_gan.puppet.dataset import write_puppet_store

WORLDS = {
    "transparent": {},
    "hills, panned": {"background": "hills", "camera": "pan"},
    "everything random": dict.fromkeys(("lighting", "background", "camera", "degradation"), "random"),
}


def rate(work: Callable[[], object], frames: int) -> str:
    """Frames a second of the clock and of the processor."""
    clock, busy = time.perf_counter(), time.process_time()
    work()
    clock, busy = time.perf_counter() - clock, time.process_time() - busy
    return f"{frames / clock:7.0f} frames/s by the clock {frames / busy:7.0f} by processor time"


def render_all(specs: list[PuppetSpec], truth: bool) -> None:
    """Draw every clip and forget it."""
    for spec in specs:
        render_clip(spec, truth)


def store_seconds(specs: list[PuppetSpec], workers: int) -> float:
    """Clock seconds of a whole store, the start of its processes included."""
    with tempfile.TemporaryDirectory() as room:
        start = time.perf_counter()
        write_puppet_store(Path(room) / "store", specs, 0, workers=workers, quiet=True)
        return time.perf_counter() - start


def store_memory(clips: int) -> float:
    """MiB a process of its own had at most while it wrote a store of small clips (Linux)."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_memory, (clips,))


def _peak_memory(clips: int) -> float:
    store_seconds(random_specs(clips, 0, frames=4, size=32), workers=1)
    # The kernel's own peak of this program; getrusage would count what the parent process had.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--memory-clips", default="200,2000", help="sizes of the stores of small clips")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{options.size} px, {options.clips} clips of {options.frames} frames, {os.cpu_count()} processors")
    frames = options.clips * options.frames
    for name, world in WORLDS.items():
        specs = random_specs(options.clips, 0, frames=options.frames, size=options.size, **world)
        for spec in specs:
            render_clip(PuppetSpec(spec.character, spec.motion, spec.expression, spec.seed, 1, 32))
        print(f"{name:18} pictures       ", rate(lambda s=specs: render_all(s, False), frames))
        print(
            f"{name:18} with flow      ",
            rate(lambda s=specs: render_all(s, True), frames),
        )
        print(f"{name:18} store, no truth", rate(lambda s=specs: store_seconds(s, 1), frames))
    specs = random_specs(4 * options.clips, 0, frames=options.frames, size=options.size)
    for workers in (1, 2, 4):
        print(f"store of {len(specs)} clips, {workers} processes: {store_seconds(specs, workers):.1f} s")
    for clips in map(int, options.memory_clips.split(",")):
        print(f"memory while writing {clips} small clips: at most {store_memory(clips):.0f} MiB")


if __name__ == "__main__":
    main()
