"""Puppet clips as a clip store, and their exact flow recomputed from what the store says of them."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from rich.progress import track

from ..data.manifest import ClipLabels, ClipRow
from ..data.splits import split_sources
from ..data.store import Store, StoreWriter
from ..errors import StoreError
from ..expressions import EXPRESSIONS
from ..skeletons import CANONICAL25
from .clip import PuppetClip, PuppetSpec, clip_flow, render_clip

Truth = Literal["none", "flow", "full"]
RECIPE = "puppet2"
"""Names the renderer in a clip's recipe; another number when the same specification gives other pictures."""


def write_puppet_store(
    path: Path | str,
    specs: list[PuppetSpec],
    seed: int,
    truth: Truth = "none",
    workers: int = 1,
    quiet: bool = False,
) -> Store:
    """Render clips into a new store; the same specifications give the same store on any number of processes.

    Each clip is a source of its own; a tenth of them is for validation and a tenth for the test.

    Args:
        path: must not hold anything yet.
        specs: at least one, all of one size and frame rate.
        seed: of the split.
        truth: what is kept beside the pictures; whatever is not can be recomputed from the clip's recipe.
        workers: processes that render.
    Raises:
        StoreError: path in use, or the disk is full.
    """
    first = specs[0]
    splits = split_sources([_clip_id(i) for i in range(len(specs))], seed)
    jobs = [(spec, truth != "none") for spec in specs]
    with StoreWriter(path, CANONICAL25, EXPRESSIONS, first.fps, (first.size, first.size), 4) as writer:
        clips = _rendered(jobs, workers)
        for index, clip in enumerate(track(clips, "rendering", total=len(specs), disable=quiet)):
            spec, name = specs[index], _clip_id(index)
            row = ClipRow(
                id=name,
                character=spec.character,
                split=splits[name],
                source=f"puppet:{name}",
                licence="MIT",
                author="temporal_gan puppet",
                fps=spec.fps,
                end=spec.frames / spec.fps,
                recipe=json.dumps({"renderer": RECIPE, **spec.to_json()}, sort_keys=True),
            )
            writer.add_clip(row, clip.video, puppet_labels(clip), _kept(clip, truth))
    return Store.open(path)


def puppet_labels(clip: PuppetClip) -> ClipLabels:
    """A rendered clip's ground truth as labels, every expression channel certain."""
    return ClipLabels(
        keypoints=clip.keypoints,
        confidence=clip.confidence,
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
        kept = store.truth(row.id)
        if kept is not None and "flow" in kept:
            return kept["flow"], kept["flow_valid"]
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


def _clip_id(index: int) -> str:
    return f"puppet_{index:06d}"


def _kept(clip: PuppetClip, truth: Truth) -> dict[str, np.ndarray] | None:
    if truth == "none":
        return None
    assert clip.flow is not None
    assert clip.flow_valid is not None
    assert clip.part_map is not None
    arrays = {"flow": clip.flow.astype(np.float16), "flow_valid": clip.flow_valid}
    return arrays if truth == "flow" else {**arrays, "part_map": clip.part_map}


def _rendered(jobs: list[tuple[PuppetSpec, bool]], workers: int) -> Iterator[PuppetClip]:
    if workers <= 1:
        yield from map(_render, jobs)
        return
    # Spawn: forking after torch or OpenCV started their threads can hang.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_render, jobs)


def _render(job: tuple[PuppetSpec, bool]) -> PuppetClip:
    spec, truth = job
    return render_clip(spec, truth)
