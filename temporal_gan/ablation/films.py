"""The same clip by every arm, in one picture that moves: nothing can come out of step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..alpha import over_white
from ..data.store import Store
from ..evaluation.pictures import animation, error_map
from ..video_io import read_frames
from .plan import Run
from .work import clip_file, shown_rows

REAL = "real"
_GAP, _EMPTY, _SIDE = 4, 235, 128


@dataclass(frozen=True)
class Film:
    """One clip of the split.

    Attributes:
        clip_id, character, fps: of the real clip.
        columns: what is shown from left to right: the real clip, then the arms.
        seeds: from top to bottom.
        moving: WebP as a data URI.
        gaps: mean difference over time to the base arm, seed by seed, in the same places, as a data URI.
    """

    clip_id: str
    character: str
    fps: float
    columns: tuple[str, ...]
    seeds: tuple[int, ...]
    moving: str
    gaps: str


def make_films(runs: Sequence[Run], store: Store, split: str, base: str) -> list[Film]:
    """Films of the clips that every run kept; an arm whose run is not finished is an empty page."""
    arms = list(dict.fromkeys(run.arm for run in runs if run.config is not None))
    seeds = list(dict.fromkeys(run.seed for run in runs if run.config is not None))
    folders = {(run.arm, run.seed): run.folder for run in runs}
    films = []
    for row in shown_rows(store, split):
        real = over_white(store.frames(row.id))
        made = {
            place: over_white(read_frames(clip_file(folder, row.id)).frames_u8)
            for place, folder in folders.items()
            if clip_file(folder, row.id).is_file()
        }
        grid = [[real, *(made.get((arm, seed)) for arm in arms)] for seed in seeds]
        gaps = [[None, *(_gap(made, arm, base, seed) for arm in arms)] for seed in seeds]
        empty = np.full_like(real, _EMPTY)
        moving = _tiled(
            [[empty if cell is None else _fitted(cell, real) for cell in line] for line in grid], 255
        )
        still = np.zeros(real.shape[1:3], np.float32)
        map_of_gaps = _tiled([[still[None] if c is None else c[None] for c in line] for line in gaps], 0)[0]
        factor = max(1, _SIDE // real.shape[1])
        films.append(
            Film(
                row.id, row.character, row.fps or store.info.fps, (REAL, *arms), tuple(seeds),
                animation(moving.repeat(factor, axis=1).repeat(factor, axis=2), row.fps or store.info.fps),
                error_map(map_of_gaps.repeat(factor, axis=0).repeat(factor, axis=1)),
            )
        )  # fmt: skip
    return films


def mean_gap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean absolute difference over time and colours: uint8 [T, h, w, 3] twice -> float32 [h, w] on [0, 1]."""
    total = np.zeros(first.shape[1:3], np.float32)
    for a, b in zip(first, second, strict=True):
        total += np.abs(a.astype(np.float32) - b).mean(axis=-1) / 255
    return total / len(first)


def _gap(made: dict[tuple[str, int], np.ndarray], arm: str, base: str, seed: int) -> np.ndarray | None:
    if arm == base or (arm, seed) not in made or (base, seed) not in made:
        return None
    first, second = made[arm, seed], made[base, seed]
    return mean_gap(first, second) if first.shape == second.shape else None


def _fitted(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Laid onto a page of the real clip's size, cut where it is larger."""
    page = np.full_like(real, _EMPTY)
    t, h, w = (min(a, b) for a, b in zip(made.shape[:3], real.shape[:3], strict=True))
    page[:t, :h, :w] = made[:t, :h, :w]
    return page


def _tiled(cells: Sequence[Sequence[np.ndarray]], gap: int) -> np.ndarray:
    """[T, h, w, ...] in rows and columns, each with a gap to its right and below, so that columns are equally wide."""

    def padded(cell: np.ndarray) -> np.ndarray:
        room = [(0, 0), (0, _GAP), (0, _GAP), *[(0, 0)] * (cell.ndim - 3)]
        return np.pad(cell, room, constant_values=gap)

    return np.concatenate([np.concatenate([padded(c) for c in line], axis=2) for line in cells], axis=1)
