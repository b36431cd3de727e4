"""What does our trainer cost over the plain DCGAN script, and do loader and augmentation ever keep a step waiting?

    python benchmarks/throughput.py [--batch 32] [--blocks 24] [--block-steps 1] [--threads 1] [--clip-steps 24]

The same network (`dcgan64`) on the same folder of pictures, on the CPU or the card: the plain script's loop
(benchmarks/plain_dcgan.py, its own data path included) and our whole loop (data, step, log) take turns block by block,
so that whatever else the machine does hits both alike; by the clock, and on the CPU by processor time as well, which
other programs disturb less. Once with equal settings, then with our switches. Then the
share of time that the recipes' steps wait for data, with 0, 1 and 2 workers. Results go to benchmarks/results.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from plain_dcgan import plain_steps
from record import hardware, ratio_interval, record
from torch import Tensor

from temporal_gan.config import load_config
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset
from temporal_gan.data.images import ImageDataset, image_batches
from temporal_gan.data.store import Store
from temporal_gan.distributed import World, choose_device
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.conditioning import Domain
from temporal_gan.puppet import random_specs, render_clip
from temporal_gan.puppet.dataset import exact_flow_source, write_puppet_store
from temporal_gan.training.acceleration import accelerate
from temporal_gan.training.clip_stream import clip_stream
from temporal_gan.training.dcgan_step import build_dcgan_state, take_dcgan_step
from temporal_gan.training.loop import Job, fit
from temporal_gan.training.state import TrainState
from temporal_gan.training.step import build_state, clip_model, take_step
from temporal_gan.video_io import write_frames

ARMS = {
    "equal settings": [],
    "fused Adam": ["optim.fused=true"],
    "channels last": ["train.channels_last=true"],
    "bfloat16": ["train.precision=bfloat16"],
    "bfloat16, channels last, fused Adam": [
        "train.precision=bfloat16", "train.channels_last=true", "optim.fused=true",
    ],
}  # fmt: skip
COMPILED = {"compiled": ["train.compile=true"]}
AUGMENTED = [
    f"data.augment.{name}={value}"
    for name, value in {
        "flip_prob": 0.5, "warp": 0.05, "zoom": 0.1, "shift": 0.1, "brightness": 0.2, "contrast": 0.2,
        "saturation": 0.2, "hue": 0.05, "limb_drop_prob": 0.3,
    }.items()
]  # fmt: skip
"""Every augmentation, whatever a recipe asks for."""


def write_pictures(folder: Path, count: int) -> Path:
    """Frames of puppets at 96 px, on white."""
    folder.mkdir()
    for number, spec in enumerate(random_specs(-(-count // 8), 0, frames=8, size=96)):
        pixels = render_clip(spec).video.astype(np.float32)
        rgb = (pixels[..., :3] + 255 - pixels[..., 3:]).clip(0, 255).astype(np.uint8)
        for frame, picture in enumerate(rgb):
            write_frames(folder / f"{number:04d}_{frame}.png", picture[None], 1.0)
    return folder


class Turns:
    """Blocks of the plain script's steps between blocks of ours: of each, seconds a step by the clock and by the
    processor."""

    def __init__(self, plain: Iterator[None], device: torch.device, block: int) -> None:
        self.ours: list[tuple[float, float]] = []
        self.theirs: list[tuple[float, float]] = []
        self._plain, self._device, self._block = plain, device, block

    def between(self, batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Our batches; when a block of ours is over, a block of theirs is taken first."""
        started: tuple[float, float] | None = None
        while True:
            if started is not None:
                self.ours.append(self._since(started))
            # Each in the arithmetic that it would have by itself.
            torch.set_flush_denormal(False)
            started = self._now()
            for _ in range(self._block):
                next(self._plain)
            self.theirs.append(self._since(started))
            torch.set_flush_denormal(True)
            started = self._now()
            yield from islice(batches, self._block)

    def _now(self) -> tuple[float, float]:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter(), time.process_time()

    def _since(self, started: tuple[float, float]) -> tuple[float, float]:
        clock, busy = self._now()
        return (clock - started[0]) / self._block, (busy - started[1]) / self._block


def compare(
    arm: list[str], pictures: Path, plain: Iterator[None], device: torch.device, options: argparse.Namespace
) -> dict[str, Any]:
    """Seconds a step of both, of every block but the first two, and their ratio."""
    steps = options.block_steps * (options.blocks + 2) + 1
    config = load_config(
        "dcgan64",
        [f"data.batch={options.batch}", f"train.steps={steps}", "train.preview_every_steps=1000000",
         "train.save_every_steps=1000000", f"train.device={device.type}", "train.precision=float32", *arm],
        ExperimentConfig,
    )  # fmt: skip
    dataset = ImageDataset(pictures, 64, config.train.seed, conditional=False)
    turns = Turns(plain, device, options.block_steps)

    def batches(first_step: int) -> Iterator[tuple[Tensor, Tensor]]:
        pinned = device.type == "cuda"
        stream = image_batches(dataset, first_step, options.batch, pinned=pinned)
        moved = (tuple(x.to(device, non_blocking=True) for x in batch) for batch in stream)
        return turns.between(moved)  # type: ignore[arg-type]

    state = build_dcgan_state(config, 0, device)
    accelerate(state, config.train, device)
    with tempfile.TemporaryDirectory() as out:
        job = Job(
            state=state,
            data_hash="",
            batches=batches,
            take_step=lambda state, batch: take_dcgan_step(state, batch, config, World()),
            preview=lambda _state, _folder: ({}, torch.zeros(3, 8, 8)),
            ends_pass=lambda _step: False,
            export=lambda _state: None,
        )
        fit(job, config, Path(out), World(), device, quiet=True)
    torch.set_flush_denormal(False)
    found = {}
    for number, unit in enumerate(("clock",) if device.type == "cuda" else ("clock", "processor")):
        ours, theirs = (
            [seconds[number] for seconds in blocks[2 : 2 + options.blocks]]
            for blocks in (turns.ours, turns.theirs)
        )
        found[unit] = {
            "ours_quartiles_sec": np.quantile(ours, [0.25, 0.5, 0.75]).tolist(),
            "plain_quartiles_sec": np.quantile(theirs, [0.25, 0.5, 0.75]).tolist(),
            **ratio_interval(ours, theirs),
        }
    return found


def waiting_share(
    recipe: str, overrides: list[str], store_path: Path, device: torch.device, steps: int
) -> dict[str, float]:
    """Of a clip recipe's steps: seconds each, and the share of them spent waiting for the next batch."""
    config = load_config(recipe, [f"train.device={device.type}", *overrides], ExperimentConfig)
    model = clip_model(config)
    store = write_puppet_store_once(store_path, model.size)
    cache = open_cache(store, model.size, "exact", exact_flow_source(store), quiet=True)
    references, mirrored = model.references, model.mirrored_references
    clips = ClipDataset(store, cache, "train", config.data.frames, 0, references, mirrored)
    info = store.info
    domain = Domain(info.channels, info.skeleton, info.expressions, info.characters, info.fps)
    state = build_state(config, domain, clips.window, device)
    accelerate(state, config.train, device)
    stream = clip_stream(clips, config, 0, World(), device)
    return time_steps(state, stream, config, device, steps)


def time_steps(
    state: TrainState, stream: Iterator[Any], config: ExperimentConfig, device: torch.device, steps: int
) -> dict[str, float]:
    """Seconds a step and the share of waiting for the stream, after four steps to warm up."""
    waited, started = 0.0, 0.0
    for number in range(steps + 4):
        if number == 4:
            if device.type == "cuda":
                torch.cuda.synchronize()
            waited, started = 0.0, time.perf_counter()
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        take_step(state, batch, config, World())
    if device.type == "cuda":
        torch.cuda.synchronize()
    total = time.perf_counter() - started
    return {"step_sec": total / steps, "waiting_share": waited / total}


def write_puppet_store_once(path: Path, size: int) -> Store:
    """12 clips of 16 frames with sampled characters; the same one for every number of workers."""
    path = path / f"store_{size}"
    if path.is_dir():
        return Store.open(path)
    return write_puppet_store(path, random_specs(12, 0, frames=16, size=size), 0, quiet=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--blocks", type=int, default=24, help="of each, after two to warm up")
    parser.add_argument("--block-steps", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--compile", action="store_true", help="also torch.compile; minutes to compile on a CPU"
    )
    parser.add_argument("--recipes", default="base", help="clip recipes whose waiting is measured")
    parser.add_argument("--clip-steps", type=int, default=24)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    device = choose_device(options.device)
    print(f"{hardware()}; {options.threads} threads; batch {options.batch}, {device.type}")
    results: dict[str, Any] = {"dcgan64": {}, "waiting": {}}
    with tempfile.TemporaryDirectory() as room:
        pictures = write_pictures(Path(room) / "pictures", 512)
        plain = plain_steps(pictures, options.batch, device)
        for name, arm in (ARMS | (COMPILED if options.compile else {})).items():
            found = results["dcgan64"][name] = compare(arm, pictures, plain, device, options)
            for unit, by in found.items():
                print(
                    f"{name:38} by the {unit:9} ours {by['ours_quartiles_sec'][1]:.3f} s a step, plain "
                    f"{by['plain_quartiles_sec'][1]:.3f}: ratio {by['ratio']:.3f} [{by['low']:.3f}, {by['high']:.3f}]",
                    flush=True,
                )
        for recipe in options.recipes.split(","):
            for augmented in (False, True):
                for workers in (0, 1, 2):
                    wanted = [f"data.workers={workers}", *(AUGMENTED if augmented else [])]
                    name = f"{recipe}{', augmented' if augmented else ''}, {workers} workers"
                    found = waiting_share(recipe, wanted, Path(room), device, options.clip_steps)
                    results["waiting"][name] = found
                    print(
                        f"{name:38} {found['step_sec']:.3f} s a step, {100 * found['waiting_share']:.1f} % of it "
                        "waiting for data",
                        flush=True,
                    )
    print(record("throughput", " ".join(["python", *sys.argv]), results))


if __name__ == "__main__":
    main()
