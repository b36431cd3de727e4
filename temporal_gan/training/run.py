"""A training run of either kind: opens the data, builds the job, and fits it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

from .. import rng
from ..batch import ClipBatch
from ..data.cache import ClipCache, open_cache
from ..data.clips import ClipDataset, whole_clip
from ..data.flow_source import dis_flow_source, raft_flow_source
from ..data.images import ImageDataset, image_batches
from ..data.references import ReferencePool
from ..data.store import Store
from ..distributed import World, broadcast_module, choose_device, join_world, leave_world
from ..errors import UserError
from ..experiment import ExperimentConfig
from ..inference.weights_file import (
    ANIMATOR_FILE,
    BEST_ANIMATOR_FILE,
    SAMPLER_FILE,
    save_animator,
    save_sampler,
)
from ..models.conditioning import Domain
from ..models.dcgan import DCGANConfig, DCGANGenerator
from ..models.generator import Generator
from ..puppet.dataset import exact_flow_source
from .acceleration import accelerate
from .clip_stream import clip_stream
from .dcgan_step import build_dcgan_state, take_dcgan_step
from .guides import load_guides
from .loop import Job, Outcome, fit
from .precision import work_dtype
from .preview import preview_clips, sample_pictures, write_clip_preview, write_picture_grid
from .start import begin_from, known_expressions, load_start
from .state import TrainState
from .step import build_state, clip_model, take_step
from .validation import Validation
from .validation_set import choose_validation_set, spread


def train(
    config: ExperimentConfig,
    data: Path | str,
    out: Path | str,
    minutes: float | None = None,
    quiet: bool = False,
    start: Path | str | None = None,
) -> Outcome:
    """Train a recipe, or go on with it.

    Args:
        config: the whole recipe.
        data: a clip store; for the DCGAN also a folder of pictures.
        out: run folder; created, or gone on with.
        minutes: stop and save after this time; None: no limit.
        quiet: no progress bar and no notices.
        start: ``base``, an animator's file or its run, whose weights a fresh run's generator starts from; critics
            always start from nothing.
    Raises:
        UserError: anything the user can mend: configuration, data, device, checkpoint, start.
    """
    data, out = Path(data), Path(out)
    device = choose_device(config.train.device)
    if device.type == "cpu":
        # Gaussian tails full of denormals made CPU training three times slower.
        torch.set_flush_denormal(True)
    world = join_world(device)
    try:
        console = Console(quiet=quiet or not world.is_main, stderr=True)
        world.local_slice(config.data.batch)
        if isinstance(config.model, DCGANConfig):
            if start is not None:
                raise UserError("--start is for clip generators; the DCGAN starts from nothing")
            job = _image_job(config, data, out, world, device, console)
        else:
            job = _clip_job(config, data, out, world, device, console, start)
        accelerate(job.state, config.train, device)
        broadcast_module(job.state.generator, world)
        broadcast_module(job.state.critics, world)
        return fit(job, config, out, world, device, minutes, quiet)
    finally:
        leave_world(world)
        torch.set_flush_denormal(False)


def _clip_job(
    config: ExperimentConfig,
    data: Path,
    out: Path,
    world: World,
    device: torch.device,
    console: Console,
    start: Path | str | None,
) -> Job:
    began = None if start is None else load_start(start)
    seed = config.train.seed
    store = Store.open(data)
    cache = _open_cache(config, store, device, console.quiet)
    model = clip_model(config)
    references = model.references
    data_seed = rng.mix_seed(seed, "data")
    dataset = ClipDataset(
        store, cache, "train", config.data.frames, data_seed, references, model.mirrored_references,
        config.data.smallest_pool,
    )  # fmt: skip
    _say_what_is_left_out(dataset, config, console)
    info = store.info
    expressions = known_expressions(info, cache.any_expression(), began)
    domain = Domain(info.channels, info.skeleton, expressions, info.characters, info.fps)
    state = build_state(config, domain, dataset.window, device)
    if began is not None:
        assert isinstance(state.generator, Generator)
        assert isinstance(state.ema, Generator)
        begin_from(began, [state.generator, state.ema])
    guides = load_guides(config, domain, device)
    held = store.split("val") or store.split("train")
    pool = ReferencePool(store, cache)
    trained = {row.character for row in store.split("train")} if references else set()
    banks = {character: pool.bank(character) for character in info.characters if character in trained}
    flip = info.skeleton.flip_permutation() if model.mirrored_references else None
    previewed = [whole_clip(store, cache, row.id) for row in spread(held, 4)]
    shown = preview_clips(previewed, banks, info.characters, references, flip)
    validation = None
    if 0 < config.train.validate_every_steps <= config.train.steps:
        clips = choose_validation_set(store, cache, dataset, banks, references, flip)
        validation = Validation(clips, config, guides, device)

    def batches(first_step: int) -> Iterator[ClipBatch]:
        return clip_stream(dataset, config, first_step, world, device)

    def preview(state: TrainState, folder: Path) -> tuple[dict[str, float], Tensor]:
        assert isinstance(state.best_generator, Generator)
        psnr, picture = write_clip_preview(
            folder / f"step_{state.step:08d}.mp4", state.best_generator, shown, info.fps
        )
        return {"preview/foreground_psnr": psnr}, picture

    def validate(state: TrainState) -> dict[str, float]:
        assert validation is not None
        assert isinstance(state.best_generator, Generator)
        figures = validation(state)
        if state.best is not None and state.best[0] == state.step:
            save_animator(out / BEST_ANIMATOR_FILE, state.best_generator, banks)
        return figures

    def export(state: TrainState) -> None:
        assert isinstance(state.best_generator, Generator)
        save_animator(out / ANIMATOR_FILE, state.best_generator, banks)

    return Job(
        state=state,
        data_hash=info.content_hash,
        start="" if began is None else began.sha256,
        batches=batches,
        take_step=lambda state, batch: take_step(state, batch, config, world, guides),
        preview=preview,
        ends_pass=lambda step: False,
        export=export,
        validate=validate if validation is not None else None,
    )


def _open_cache(config: ExperimentConfig, store: Store, device: torch.device, quiet: bool) -> ClipCache:
    size = clip_model(config).size
    longest = max((row.frames for row in store.split("train")), default=0)
    if not config.losses.flow_weight or longest < 2:
        return open_cache(store, size, quiet=quiet)
    flow = config.data.flow
    name: str = flow
    source = exact_flow_source(store) if flow == "exact" else dis_flow_source(store)
    if flow == "raft" or flow == "raft_small":
        file = None if config.data.flow_file is None else Path(config.data.flow_file)
        name, source = raft_flow_source(store, flow, file, device)
    return open_cache(store, size, name, source, quiet=quiet)


def _say_what_is_left_out(dataset: ClipDataset, config: ExperimentConfig, console: Console) -> None:
    if dataset.window < config.data.frames:
        off = " (no clip critic, no flow loss)" if dataset.window < 2 else ""
        console.print(
            f"the longest clip has {dataset.window} frames: training on windows of {dataset.window}{off}"
        )
    if dataset.skipped_clips:
        console.print(
            f"{dataset.skipped_clips} clips are shorter than the window of {dataset.window} and not used"
        )


def _image_job(
    config: ExperimentConfig, data: Path, out: Path, world: World, device: torch.device, console: Console
) -> Job:
    model = config.model
    assert isinstance(model, DCGANConfig)
    seed, batch = config.train.seed, config.data.batch
    dataset = ImageDataset(data, model.size, rng.mix_seed(seed, "data"), model.conditional, console.quiet)
    if len(dataset) < 2:
        raise UserError(f"{data}: {len(dataset)} picture; the DCGAN needs at least 2")
    state = build_dcgan_state(config, len(dataset.classes), device)
    noise = rng.normal((64, model.nz), seed, "grid").to(device, work_dtype(config))
    label = (torch.arange(64) % max(len(dataset.classes), 1)).to(device)

    def batches(first_step: int) -> Iterator[tuple[Tensor, Tensor]]:
        workers, pinned = config.data.workers, device.type == "cuda"
        stream = image_batches(dataset, first_step, batch, world.rank, world.size, workers, pinned)
        dtype = work_dtype(config)
        return (
            (images.to(device, dtype, non_blocking=True), labels.to(device, non_blocking=True))
            for images, labels in stream
        )

    def preview(state: TrainState, folder: Path) -> tuple[dict[str, float], Tensor]:
        # In training mode, as the textbook draws its grids: batch norm of these 64 pictures; buffers are put back.
        before = {name: buffer.clone() for name, buffer in state.generator.named_buffers()}
        images = sample_pictures(state.generator, noise, label)
        for name, buffer in state.generator.named_buffers():
            buffer.copy_(before[name])
        done = state.step * batch // len(dataset)
        name = (
            "final_samples.png"
            if state.step == config.train.steps
            else f"epoch_{done:04d}_step_{state.step:08d}.png"
        )
        return {}, write_picture_grid(folder / name, images)

    def export(state: TrainState) -> None:
        assert isinstance(state.generator, DCGANGenerator)
        save_sampler(out / SAMPLER_FILE, state.generator, model, dataset.classes)

    return Job(
        state=state,
        data_hash=_listing_hash(dataset, data),
        start="",
        batches=batches,
        take_step=lambda state, batch: take_dcgan_step(state, batch, config, world),
        preview=preview,
        ends_pass=lambda step: step * batch // len(dataset) > (step - 1) * batch // len(dataset),
        export=export,
    )


def _listing_hash(dataset: ImageDataset, data: Path) -> str:
    """Of what is drawn in which order: the store's content, or the files' names and sizes."""
    if (data / "store.json").is_file():
        return Store.open(data).info.content_hash
    files = [(str(f.relative_to(data)), f.stat().st_size) for f in dataset.files]
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()
