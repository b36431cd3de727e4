"""The same clip by every arm, in one picture that moves: nothing can come out of step."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..alpha import over_white
from ..data.store import Store
from ..evaluation.pictures import ERROR_SCALE, animated_webp, data_uri, error_map
from ..evaluation.results import write_atomically
from ..video_io import read_frames
from .plan import Run
from .row_names import DCGAN_ARM
from .work import clip_file, shown_rows

REAL = "real"
_GAP, _EMPTY, _FACTOR = 4, 235, 2

GAP_SCALE = 0.15
"""Mean absolute difference between two arms, on [0, 1], that gets the brightest colour: arms lie nearer to each other
than a made clip to the real one."""


@dataclass(frozen=True)
class Film:
    """One clip of the split.

    Attributes:
        clip_id, character, fps: of the real clip.
        columns: what is shown from left to right: the real clip, then the arms.
        seeds: from top to bottom.
        webp: all that moves, as a file's content.
        gaps: mean difference over time to the base arm, seed by seed, of the arms ``compared`` (not the DCGAN, which
            shows something else), as a data URI; "" where there are none.
        compared: from left to right.
    """

    clip_id: str
    character: str
    fps: float
    columns: tuple[str, ...]
    seeds: tuple[int, ...]
    webp: bytes
    gaps: str
    compared: tuple[str, ...]

    @property
    def source(self) -> str:
        """The same as a data URI."""
        return data_uri("image/webp", self.webp)


def write_films(films: Sequence[Film], folder: Path) -> None:
    """A WebP of each, for pages of one's own."""
    folder.mkdir(exist_ok=True)
    for film in films:
        write_atomically(folder / f"{film.clip_id}.webp", film.webp)


def make_films(runs: Sequence[Run], store: Store, split: str, base: str) -> list[Film]:
    """Films of the clips that every run kept; an arm whose run is not finished is an empty page."""
    arms = list(dict.fromkeys(run.arm for run in runs if run.is_scored_arm))
    seeds = list(dict.fromkeys(run.seed for run in runs if run.is_scored_arm))
    compared = tuple(arm for arm in arms if arm not in (base, DCGAN_ARM))
    folders = {(run.arm, run.seed): run.folder for run in runs if run.is_scored_arm}
    films = []
    for row in shown_rows(store, split):
        real, fps = over_white(store.frames(row.id)), row.fps or store.info.fps
        made = {
            place: _fitted(over_white(read_frames(clip_file(folder, row.id)).frames_u8), real)
            for place, folder in folders.items()
            if clip_file(folder, row.id).is_file()
        }
        empty = np.full_like(real, _EMPTY)
        grid = [[real, *(made.get((arm, seed), empty) for arm in arms)] for seed in seeds]
        gaps = [[_gap(made, (arm, seed), (base, seed), empty) for arm in compared] for seed in seeds]
        scale = ERROR_SCALE / GAP_SCALE
        films.append(
            Film(
                row.id, row.character, fps, (REAL, *arms), tuple(seeds),
                animated_webp(_enlarged(_tiled(grid, 255)), fps),
                error_map(_enlarged(_tiled(gaps, 0))[0] * scale) if compared else "", compared,
            )
        )  # fmt: skip
    return films


def mean_gap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean absolute difference over time and colours: uint8 [T, h, w, 3] twice -> float32 [h, w] on [0, 1]."""
    total = np.zeros(first.shape[1:3], np.float32)
    for a, b in zip(first, second, strict=True):
        total += np.abs(a.astype(np.float32) - b).mean(axis=-1) / 255
    return total / len(first)


def _gap(
    made: dict[tuple[str, int], np.ndarray], arm: tuple[str, int], base: tuple[str, int], empty: np.ndarray
) -> np.ndarray:
    """float32 [1, h, w]; 0 where one of the two was not made."""
    return mean_gap(made.get(arm, empty), made.get(base, empty))[None] * (arm in made and base in made)


def _enlarged(frames: np.ndarray) -> np.ndarray:
    """By a whole number, so that small clips can be seen: [T, H, W, ...]."""
    return frames.repeat(_FACTOR, axis=1).repeat(_FACTOR, axis=2)


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
