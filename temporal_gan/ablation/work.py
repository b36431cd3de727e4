"""Doing one run, in whatever process: train, score the held-out clips, write down what it cost."""

import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import torch

from .. import rng
from ..batch import to_display_range
from ..data.manifest import ClipRow
from ..data.store import Store
from ..errors import DivergenceError, UserError
from ..evaluation.keypoint_transfer import to_frames_u8
from ..evaluation.pairing import FilePairs, RunPairs, animate_row, pair_files, pair_run
from ..evaluation.protocols import PROTOCOLS
from ..evaluation.run import evaluate
from ..inference.animator import Animator, load_animator
from ..inference.weights_file import load_sampler
from ..models.dcgan import DCGANConfig, DCGANGenerator
from ..training.run import train
from ..video_io import write_frames
from .costs import critic_parameters, device_memory_gb, macs_per_frame, peak_memory_gb, seconds_per_step
from .floors import write_floors
from .outcome import (
    OUTCOME_FILE,
    TRAINED_FILE,
    Origin,
    Outcome,
    Trained,
    read_outcome,
    read_trained,
    write_outcome,
    write_trained,
)
from .plan import TRAINED, Run
from .row_names import COMMON_ARM

RESULTS_FILE = "results.json"
CLIPS = "clips"
SHOWN = 3
"""Clips that the report shows of every run."""


def do_run(run: Run, origin: Origin) -> None:
    """Do what is left of a run; ends with its outcome written, also where it diverged or failed.

    Args:
        run: of a plan.
        origin: where it runs, and the code that was loaded: files may change while runs go on.
    Raises:
        KeyboardInterrupt: Ctrl-C; repeating goes on.
    """
    (run.folder / OUTCOME_FILE).unlink(missing_ok=True)
    try:
        outcome = _do(run, origin)
    except UserError as error:
        outcome = failed(run, str(error), origin)
    except OSError as error:
        # A full disk, for one.
        outcome = failed(run, f"{error.filename or run.folder}: {error.strerror or error}", origin)
    except Exception as error:
        traceback.print_exc()
        outcome = failed(
            run, f"internal failure: {type(error).__name__}: {str(error).strip() or 'no message'}", origin
        )
    write_outcome(run.folder, outcome)


def failed(run: Run, reason: str, origin: Origin) -> Outcome:
    """The outcome of a run that broke off, to be tried again."""
    one_line = " ".join(reason.split())
    return Outcome(
        key=run.key, status="failed", reason=one_line, trained=read_trained(run.folder), origin=origin
    )


def shown_rows(store: Store, split: str) -> list[ClipRow]:
    """The clips that the report shows: evenly spaced, always the same."""
    rows = store.split(split)
    places = sorted({round(i * (len(rows) - 1) / max(SHOWN - 1, 1)) for i in range(SHOWN)})
    return [rows[place] for place in places]


def _do(run: Run, origin: Origin) -> Outcome:
    store = Store.open(run.store)
    if run.config is None:
        write_floors(run.folder / RESULTS_FILE, store, run.split, PROTOCOLS[run.protocol])
        return Outcome(key=run.key, status="finished", origin=origin)
    trained = read_trained(run.folder) or _train(run)
    if trained.diverged:
        return Outcome(
            key=run.key, status="diverged", reason=trained.diverged, trained=trained, origin=origin
        )
    if run.arm == COMMON_ARM:
        return Outcome(key=run.key, status="finished", trained=trained, origin=origin)
    folder = run.folder / TRAINED
    if isinstance(run.config.model, DCGANConfig):
        generator, model, _ = load_sampler(folder)
        noise = torch.zeros(1, model.nz)
        gmac = macs_per_frame(lambda: generator(noise, torch.zeros(1, dtype=torch.int64)), 1)
        pairs: RunPairs | FilePairs = _sampled_clips(run, generator, model, store)
        parameters = sum(weight.numel() for weight in generator.parameters())
    else:
        animator = load_animator(folder, run.config.train.device)
        row = store.split(run.split)[0]
        gmac = macs_per_frame(lambda: animate_row(animator, store, row), row.frames)
        pairs = pair_run(animator, store, run.split)
        _write_shown(run, animator, store)
        parameters = sum(weight.numel() for weight in animator.generator.parameters())
    # Anchors are the same for every run; the floors' run measures them once.
    protocol = replace(PROTOCOLS[run.protocol], anchors=())
    results = evaluate(pairs, protocol, split=run.split)
    if results.failed:
        raise UserError(f"{len(results.failed)} clips could not be scored; {results.failed[0].reason}")
    results.write(run.folder / RESULTS_FILE)
    return Outcome(
        key=run.key, status="finished", trained=trained, generator_parameters=parameters,
        critic_parameters=critic_parameters(folder), gmac_per_frame=gmac, origin=origin,
    )  # fmt: skip


def _train(run: Run) -> Trained:
    assert run.config is not None
    folder, diverged = run.folder / TRAINED, ""
    (run.folder / TRAINED_FILE).unlink(missing_ok=True)
    if run.minutes is not None:
        # The clock would begin anew, and give this run more time than others had.
        shutil.rmtree(folder, ignore_errors=True)
    steps, start = 0, run.start if run.after is None else _trained_start(run.after)
    try:
        ended = train(run.config, run.store, folder, run.minutes, quiet=True, start=start)
        steps = ended.step
        if ended.interrupted:
            raise KeyboardInterrupt
    except DivergenceError as error:
        diverged = str(error).replace(str(run.folder), "this run's folder")
    trained = Trained(
        steps=steps, diverged=diverged, seconds_per_step=seconds_per_step(folder), peak_memory_gb=peak_memory_gb(),
        device_memory_gb=device_memory_gb(),
    )  # fmt: skip
    write_trained(run.folder, trained)
    return trained


def _trained_start(common: Run) -> Path:
    outcome = read_outcome(common.folder, common.key)
    if outcome is None or outcome.status != "finished":
        ended = "was not run" if outcome is None else f"{outcome.status}: {outcome.reason}"
        raise UserError(f"its {COMMON_ARM} {ended}")
    return common.folder / TRAINED


def _write_shown(run: Run, animator: Animator, store: Store) -> None:
    for row in shown_rows(store, run.split):
        _write_clip(run, row, animate_row(animator, store, row), store)


@torch.no_grad()
def _sampled_clips(run: Run, generator: DCGANGenerator, model: DCGANConfig, store: Store) -> FilePairs:
    """A picture of its own noise for every frame of every clip, as files; the DCGAN knows nothing of poses."""
    for row in store.split(run.split):
        noise = rng.normal((row.frames, model.nz), run.seed, "dcgan clip", row.id)
        made = to_display_range(generator(noise, torch.zeros(row.frames, dtype=torch.int64)))
        _write_clip(run, row, made, store)
    return pair_files(run.folder / CLIPS, run.store, run.split)


def _write_clip(run: Run, row: ClipRow, made: torch.Tensor, store: Store) -> None:
    write_frames(clip_file(run.folder, row.id), to_frames_u8(made), row.fps or store.info.fps)


def clip_file(folder: Path, clip_id: str) -> Path:
    """Where a run's made clip lies, lossless."""
    return folder / CLIPS / f"{clip_id}.mkv"
