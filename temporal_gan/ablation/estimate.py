"""Means over seeds and clips, and how far another seed and other clips would have moved them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import rng
from ..metrics.crossed_bootstrap import crossed_intervals

DRAWS, LEVEL = 1000, 0.95


@dataclass(frozen=True)
class Estimate:
    """Attributes: mean over seeds and clips; its interval, None with fewer than three of either or where a seed is
    missing; seeds it rests on."""

    mean: float
    interval: tuple[float, float] | None
    seeds: int


def estimate(
    tables: Sequence[np.ndarray], seed: int, units: Sequence[str] | None = None
) -> list[Estimate | None]:
    """Means over seeds and clips, with their intervals over both: another seed and other clips would have moved them.

    With few seeds the intervals are too narrow: a resample of three draws one of them alone in one case of nine. Where
    nothing differs and seeds are all that varies, they leave out 0 in 23 of 100 sweeps of three seeds
    (tests/ablation/test_sweep_scores.py).

    Args:
        tables: float [S, N] each, NaN where there is no value; [1, N] for what is the same for all seeds. A paired
            difference is the mean of the differences.
        seed: of the resampling, the same for all tables, so that their intervals belong together.
        units: what each clip is drawn with: its character, where all clips of one are drawn together; None: alone.
    Returns:
        for each table, None where it holds no value.
    """
    seeds = max(len(table) for table in tables)
    stack = np.stack([np.repeat(table, seeds // len(table), axis=0) for table in tables])
    there = np.isfinite(stack)
    filled, counted = np.where(there, stack, 0.0), there.astype(float)

    clips = stack.shape[2]
    names, place = np.unique(np.arange(clips) if units is None else np.array(units), return_inverse=True)

    def means(of_seeds: np.ndarray, of_units: np.ndarray) -> np.ndarray:
        weight = of_seeds[:, None] * of_units[place][None].astype(float)
        total = np.tensordot(counted, weight, 2)
        return np.divide(
            np.tensordot(filled, weight, 2), total, out=np.full(len(stack), np.nan), where=total > 0
        )

    generator = rng.numpy_generator(seed, "ablation")
    found = crossed_intervals(means, seeds, len(names), generator, DRAWS, LEVEL)
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
