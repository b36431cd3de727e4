"""The calmest path, against linear programmes that know nothing of strings."""

import numpy as np
import pytest
from scipy.optimize import linprog

from preprocessing.camera_path import calmest_path


def least(time: np.ndarray, low: np.ndarray, high: np.ndarray, greatest: bool) -> float:
    """The least possible sum of steps, or with ``greatest`` the least possible greatest speed."""
    n = len(time)
    extra = 1 if greatest else n - 1
    rows, limits = [], []
    for i in range(n - 1):
        for sign in (1.0, -1.0):
            row = np.zeros(n + extra)
            row[i + 1], row[i] = sign, -sign
            row[n if greatest else n + i] = -(time[i + 1] - time[i]) if greatest else -1.0
            rows.append(row)
            limits.append(0.0)
    cost = np.concatenate([np.zeros(n), np.ones(extra)])
    bounds = [*zip(low, high, strict=True), *[(0, None)] * extra]
    return float(linprog(cost, np.array(rows), limits, bounds=bounds).fun)


@pytest.mark.parametrize("seed", range(12))
def test_no_path_is_shorter_and_none_slower(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 30))
    time = np.cumsum(random.uniform(0.02, 0.2, n))
    low = np.cumsum(random.normal(0, 20, n))
    high = low + random.uniform(0, 40, n) * (random.uniform(size=n) < 0.8)
    path = calmest_path(time, low, high)
    assert (path >= low - 1e-9).all()
    assert (path <= high + 1e-9).all()
    steps = np.abs(np.diff(path))
    assert steps.sum() == pytest.approx(least(time, low, high, greatest=False), abs=1e-6)
    speed = (steps / np.diff(time)).max()
    assert speed == pytest.approx(least(time, low, high, greatest=True), abs=1e-6)


def test_it_rests_in_the_middle_where_it_can() -> None:
    path = calmest_path(np.arange(3.0), np.array([0.0, 4, 2]), np.array([10.0, 12, 9]))
    np.testing.assert_allclose(path, 6.5)
    np.testing.assert_allclose(calmest_path(np.zeros(1), np.array([1.0]), np.array([3.0])), 2)


def test_a_steady_walk_is_followed_at_a_steady_pace() -> None:
    time = np.arange(50) / 12
    place = 40 * time + 5 * np.sin(9 * time)
    path = calmest_path(time, place - 8, place + 8)
    speed = np.diff(path)[10:-10] / np.diff(time)[10:-10]
    assert np.ptp(speed) < 1e-6, "the sway of the walk is not followed"
