"""Puppet clips as a clip store, and their exact flow recomputed from what the store says of them."""

import hashlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from rich.progress import track

from ..data.manifest import ClipLabels, ClipRow
from ..data.store import Store
from ..data.store_writer import StoreWriter, write_clip_files
from ..data.truth import exact_flow
from ..errors import StoreError
from ..expressions import EXPRESSIONS
from ..skeletons import CANONICAL25
from .clip import PuppetClip, clip_flow, clip_scene, render_clip
from .held_out import clip_splits
from .scene import Scene
from .spec import PuppetSpec

Truth = Literal["none", "flow", "full"]
RECIPE = "puppet3"
"""Names the renderer in a clip's recipe; another number when the same specification gives other pictures."""


def write_puppet_store(
    path: Path | str,
    specs: list[PuppetSpec],
    seed: int,
    truth: Truth = "none",
    workers: int = 1,
    quiet: bool = False,
    hold_out_characters: Sequence[str] = (),
    hold_out_motions: Sequence[str] = (),
) -> Store:
    """Render clips into a new store; the same specifications give the same store on any number of processes.

    When the same call was interrupted before, even killed, it goes on: finished clips are kept, and the store
    becomes what it would have been. Where it is finished already, nothing is done.

    Args:
        path: must not hold anything else yet.
        specs: at least one, all of one size and frame rate.
        seed: of the split.
        truth: what is kept beside the pictures: flow and its validity, or everything there is. Whatever is not
            can be recomputed from the clip's recipe.
        workers: processes that render; never more than there are processors to run them.
        quiet: no progress bar.
        hold_out_characters, hold_out_motions: see :func:`.held_out.clip_splits`.
    Raises:
        StoreError: path in use, or the disk is full.
        UserError: names held out that are in no clip.
    """
    path, first = Path(path), specs[0]
    names = [f"puppet_{index:06d}" for index in range(len(specs))]
    splits = clip_splits(specs, names, seed, hold_out_characters, hold_out_motions)
    if _is_finished(path, specs, names, splits, truth):
        return Store.open(path)
    key = hashlib.sha256(truth.encode())
    for spec, split in zip(specs, splits, strict=True):
        key.update(f"{_recipe(spec)} {split}\n".encode())
    size = (first.size, first.size)
    with StoreWriter(path, CANONICAL25, EXPRESSIONS, first.fps, size, 4, key.hexdigest()) as writer:
        jobs = ((path, name, spec, truth) for name, spec in zip(names, specs, strict=True))
        clips = track(_written(jobs, len(specs), workers), "rendering", total=len(specs), disable=quiet)
        for name, spec, split, labels in zip(names, specs, splits, clips, strict=True):
            writer.add_files(_row(name, spec, split), labels, truth != "none")
    return Store.open(path)


def puppet_labels(clip: PuppetClip | Scene) -> ClipLabels:
    """A clip's ground truth as labels, every expression channel certain."""
    return ClipLabels(
        keypoints=clip.keypoints.astype(np.float32),
        confidence=clip.confidence.astype(np.float32),
        layer=clip.layer,
        expression=clip.expression,
        expression_confidence=np.ones_like(clip.expression),
        time=clip.time.astype(np.float64),
        hold=clip.hold,
        origin="rendered",
    )


def exact_flow_source(store: Store) -> Callable[[ClipRow], tuple[np.ndarray, np.ndarray]]:
    """Clip -> exact flow [T-1, 2, H, W] and validity [T-1, 1, H, W]: the store's own, else rendered again.

    Raises:
        StoreError: when called on a clip that has neither truth nor a puppet's recipe.
    """

    def recompute(row: ClipRow) -> tuple[np.ndarray, np.ndarray]:
        kept = exact_flow(store.truth(row.id))
        if kept is not None:
            return kept
        return clip_flow(replace(puppet_spec(row), size=row.width))

    return recompute


def puppet_spec(row: ClipRow) -> PuppetSpec:
    """The specification a puppet clip was rendered from. Raises StoreError for any other clip."""
    try:
        recipe = json.loads(row.recipe or "{}")
    except json.JSONDecodeError:
        recipe = {}
    if recipe.get("renderer") != RECIPE:
        raise StoreError(
            f"clip {row.id}: has no exact flow (no truth kept, and no recipe of renderer {RECIPE}); "
            "set data.flow=dis or losses.flow_weight=0"
        )
    return PuppetSpec.from_json({k: v for k, v in recipe.items() if k != "renderer"})


def _recipe(spec: PuppetSpec) -> str:
    return json.dumps({"renderer": RECIPE, **spec.to_json()}, sort_keys=True)


def _row(name: str, spec: PuppetSpec, split: str) -> ClipRow:
    return ClipRow(
        id=name,
        character=spec.character,
        split=split,
        source=f"puppet:{name}",
        licence="MIT",
        author="temporal_gan puppet",
        fps=spec.fps,
        end=spec.frames / spec.fps,
        recipe=_recipe(spec),
    )


def _is_finished(
    path: Path, specs: list[PuppetSpec], names: list[str], splits: list[str], truth: Truth
) -> bool:
    """Whether there is a whole store of just these clips."""
    if not (path / "store.json").is_file():
        return False
    store = Store.open(path)
    clips, kept = store.clips, store.truth(store.clips[0].id)
    has: Truth = "none" if kept is None else "full" if "part_map" in kept else "flow"
    if len(clips) != len(specs) or has != truth:
        return False
    return all(
        (row.id, row.recipe, row.split) == (name, _recipe(spec), split)
        for row, name, spec, split in zip(clips, names, specs, splits, strict=True)
    )


Job = tuple[Path, str, PuppetSpec, Truth]


def _written(jobs: Iterator[Job], count: int, workers: int) -> Iterator[ClipLabels]:
    """Write the files of every clip; yields their labels in order."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = min(workers, count, cores)
    if processes <= 1:
        yield from map(_write, jobs)
        return
    # Not plain forking, which can hang after torch or OpenCV started their threads: workers are forked from a
    # process that has only imported this module, once for all of them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with _main_unknown():
        pool = context.Pool(processes, _begin_worker)
    with pool:
        yield from pool.imap(_write, jobs, chunksize=2)


@contextmanager
def _main_unknown() -> Iterator[None]:
    """Every worker would import the program that is running, and a command imports all that training needs."""
    main = sys.modules["__main__"]
    spec, file = main.__spec__, getattr(main, "__file__", None)
    main.__spec__ = main.__file__ = None
    try:
        yield
    finally:
        main.__spec__, main.__file__ = spec, file


def _begin_worker() -> None:
    # Ctrl-C reaches every process of the group; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _write(job: Job) -> ClipLabels:
    folder, name, spec, truth = job
    if (folder / "video" / f"{name}.mkv").is_file():
        return puppet_labels(clip_scene(spec))
    clip = render_clip(spec, truth != "none")
    write_clip_files(folder, name, clip.video, spec.fps, _kept(clip, truth))
    return puppet_labels(clip)


def _kept(clip: PuppetClip, truth: Truth) -> dict[str, np.ndarray] | None:
    if truth == "none":
        return None
    assert clip.flow is not None
    assert clip.flow_backward is not None
    arrays = {"flow": clip.flow.astype(np.float16), "flow_valid": clip.flow_valid}
    if truth == "full":
        arrays |= {
            "flow_backward": clip.flow_backward.astype(np.float16),
            "flow_backward_valid": clip.flow_backward_valid,
            "part_map": clip.part_map,
            "parts": np.array(clip.parts),
            "depth_order": clip.depth_order.astype(np.uint8),
            "face_points": clip.face_points,
            "face_visible": clip.face_visible,
        }
    return {name: array for name, array in arrays.items() if array is not None}
