"""Steps of a clip recipe on puppets, timed: what the benchmarks of speed have in common."""

import time
from pathlib import Path

import torch

from temporal_gan.config import load_config
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset
from temporal_gan.data.store import Store
from temporal_gan.distributed import World
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.conditioning import Domain
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import exact_flow_source, write_puppet_store
from temporal_gan.training.acceleration import accelerate
from temporal_gan.training.clip_stream import clip_stream
from temporal_gan.training.guides import load_guides
from temporal_gan.training.step import build_state, clip_model, take_step

CLIPS, FRAMES, WARM_UP = 12, 16, 4


def time_recipe(
    recipe: str, overrides: list[str], room: Path, device: torch.device, steps: int
) -> dict[str, float | None]:
    """Train a recipe for some steps and say what they took, after four to warm up.

    Args:
        recipe: its name or file.
        overrides: key=value.
        room: a folder for the clips; a size's are written once.
        device: where to train.
        steps: how many are timed; on CUDA without a wait between them, as in training.
    Returns:
        ``step_sec``, ``frames_per_sec`` (made and learned from), ``waiting_share`` (the part of the time in which the
        step had to wait for its batch), and ``peak_gib`` of the card's memory (None elsewhere).
    """
    config = load_config(recipe, [*overrides, f"train.device={device.type}"], ExperimentConfig)
    model = clip_model(config)
    store = _puppets(room / f"store_{model.size}", model.size)
    cache = open_cache(store, model.size, "exact", exact_flow_source(store), quiet=True)
    clips = ClipDataset(
        store, cache, "train", config.data.frames, 0, model.references, model.mirrored_references
    )
    info = store.info
    domain = Domain(info.channels, info.skeleton, info.expressions, info.characters, info.fps)
    state, guides = (
        build_state(config, domain, clips.window, device),
        load_guides(config, domain, device),
    )
    accelerate(state, config.train, device)
    stream = clip_stream(clips, config, 0, World(), device)
    waited = started = 0.0
    for number in range(WARM_UP + steps):
        if number == WARM_UP:
            waited, started = 0.0, _now(device)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        take_step(state, batch, config, World(), guides)
    total = _now(device) - started
    return {
        "step_sec": total / steps,
        "frames_per_sec": steps * config.data.batch * clips.window / total,
        "waiting_share": waited / total,
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else None,
    }


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _puppets(path: Path, size: int) -> Store:
    if path.is_dir():
        return Store.open(path)
    return write_puppet_store(path, random_specs(CLIPS, 0, frames=FRAMES, size=size), 0, quiet=True)
