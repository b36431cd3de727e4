"""What a sweep's finished runs scored, as arrays, and what can be said of it: means, intervals, paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import rng
from ..evaluation.results_file import read_results
from ..metrics.crossed_bootstrap import crossed_intervals
from .floors import FLOOR_TITLES, read_floors
from .outcome import Outcome, read_outcome
from .plan import Run
from .sweep import SweepConfig
from .work import RESULTS_FILE

DRAWS, LEVEL = 1000, 0.95


@dataclass(frozen=True)
class Row:
    """An arm or a floor.

    Attributes:
        name: of the arm, or the floor's title.
        is_floor: nothing was trained for it.
        outcomes: seed -> how that run ended; a missing seed was not run yet. Empty for a floor.
        values: metric -> float [S, N], seeds by clips, NaN where there is none; [1, N] for a floor.
    """

    name: str
    is_floor: bool
    outcomes: Mapping[int, Outcome]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """Attributes: mean over seeds and clips; its interval, None with fewer than three of either or where a seed is
    missing; seeds it rests on."""

    mean: float
    interval: tuple[float, float] | None
    seeds: int


@dataclass(frozen=True)
class Scores:
    """Attributes: clips (ids, in the store's order) and rows: the base arm, the other arms, then the floors."""

    clips: tuple[str, ...]
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """Raises StopIteration for an unknown name."""
        return next(row for row in self.rows if row.name == name)


def read_scores(runs: Sequence[Run], metrics: Sequence[str]) -> Scores:
    """Whatever is finished so far; nothing of a run that failed or diverged but how it ended."""
    floors = next((run for run in runs if run.config is None), None)
    arms = [run for run in runs if run.is_scored_arm]
    outcomes = {(run.arm, run.seed): read_outcome(run.folder, run.key) for run in runs}
    scored = {
        (run.arm, run.seed): _clip_values(run.folder)
        for run in arms
        if (outcome := outcomes[run.arm, run.seed]) is not None and outcome.status == "finished"
    }
    seeds = list(dict.fromkeys(run.seed for run in arms))
    known = floors is not None and outcomes[floors.arm, floors.seed] is not None
    copied = {}
    if floors is not None and known and (floors.folder / RESULTS_FILE).is_file():
        copied = read_floors(floors.folder / RESULTS_FILE)
    every = [*scored.values(), *copied.values()]
    clips = tuple(dict.fromkeys(clip for found in every for clip in found))
    rows = []
    for name in dict.fromkeys(run.arm for run in arms):
        found = [scored.get((name, seed), {}) for seed in seeds]
        ended = {seed: outcome for seed in seeds if (outcome := outcomes[name, seed]) is not None}
        rows.append(Row(name, False, ended, {m: _table(found, clips, m) for m in metrics}))
    for name, found_floor in copied.items():
        values = {m: _table([found_floor], clips, m) for m in metrics}
        rows.append(Row(FLOOR_TITLES[name], True, {}, values))
    return Scores(clips, tuple(rows))


def estimate(tables: Sequence[np.ndarray], seed: int) -> list[Estimate | None]:
    """Means over seeds and clips, with their intervals over both: another seed and other clips would have moved them.

    Args:
        tables: float [S, N] each, NaN where there is no value; [1, N] for what is the same for all seeds. A paired
            difference is the mean of the differences.
        seed: of the resampling, the same for all tables, so that their intervals belong together.
    Returns:
        for each table, None where it holds no value.
    """
    seeds = max(len(table) for table in tables)
    stack = np.stack([np.repeat(table, seeds // len(table), axis=0) for table in tables])
    there = np.isfinite(stack)
    filled, counted = np.where(there, stack, 0.0), there.astype(float)

    def means(of_seeds: np.ndarray, of_clips: np.ndarray) -> np.ndarray:
        weight = of_seeds[:, None] * of_clips[None].astype(float)
        total = np.tensordot(counted, weight, 2)
        return np.divide(
            np.tensordot(filled, weight, 2), total, out=np.full(len(stack), np.nan), where=total > 0
        )

    clips = stack.shape[2]
    generator = rng.numpy_generator(seed, "ablation")
    found = crossed_intervals(means, seeds, clips, generator, DRAWS, LEVEL)
    estimates: list[Estimate | None] = []
    for index, table in enumerate(tables):
        finished = int(np.isfinite(table).any(axis=1).sum())
        if not finished:
            estimates.append(None)
            continue
        interval = None
        if found is not None and np.isfinite(found[index]).all() and finished in (seeds, len(table)):
            interval = (float(found[index, 0]), float(found[index, 1]))
        estimates.append(Estimate(float(table[np.isfinite(table)].mean()), interval, finished))
    return estimates


def metrics_read(sweep: SweepConfig) -> tuple[str, ...]:
    """Those of the table, and the one that tells whether a network has learned its task."""
    extra = () if TASK_METRIC in sweep.metrics else (TASK_METRIC,)
    return (*sweep.metrics, *extra)


TASK_METRIC, TRAINED_FROM = "reader_pck@0.1", 0.8
"""An arm whose made clips score less has not yet learned to follow the pose: its other figures tell little."""


def _clip_values(folder: Path) -> dict[str, dict[str, float]]:
    found = read_results(folder / RESULTS_FILE)
    return {
        clip.clip_id: {name: value for name, value in clip.values.items() if value is not None}
        for clip in found.clips
    }


def _table(
    found: Sequence[Mapping[str, Mapping[str, float]]], clips: Sequence[str], metric: str
) -> np.ndarray:
    return np.array(
        [[clip_values.get(clip, {}).get(metric, np.nan) for clip in clips] for clip_values in found]
    ).reshape(len(found), len(clips))
