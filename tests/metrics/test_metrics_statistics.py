"""The interval covers what it says, and says nothing about two clips."""

import numpy as np
import pytest

from temporal_gan import rng
from temporal_gan.errors import UserError
from temporal_gan.metrics.statistics import bootstrap_interval, ratio_interval


def test_interval_is_the_same_every_time_and_holds_the_mean() -> None:
    values = np.array([20.0, 22.0, 25.0, 21.0, 30.0])
    first = bootstrap_interval(values, rng.numpy_generator(0, "bootstrap"))
    assert first == bootstrap_interval(values, rng.numpy_generator(0, "bootstrap"))
    assert first is not None
    assert values.min() <= first[0] < values.mean() < first[1] <= values.max()


def test_interval_needs_three_clips() -> None:
    assert bootstrap_interval(np.array([1.0, 2.0]), rng.numpy_generator(0)) is None
    assert bootstrap_interval(np.array([]), rng.numpy_generator(0)) is None
    assert bootstrap_interval(np.array([1.0, 1.0, 1.0]), rng.numpy_generator(0)) == (1.0, 1.0)


def test_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    draws = rng.numpy_generator(0, "coverage").normal(size=(300, 30))
    generator = rng.numpy_generator(0, "bootstrap")
    intervals = [bootstrap_interval(row, generator, draws=300) for row in draws]
    covered = np.mean([i is not None and i[0] < 0 < i[1] for i in intervals])
    # The percentile interval is known to be a little narrow at 30 samples; 300 trials have an sd of 1.4 %.
    assert 0.88 < covered < 0.98


def test_a_ratio_of_sums_is_no_mean_of_ratios() -> None:
    real = np.array([1e-6, 1.0, 2.0, 3.0])
    made = np.array([1.0, 1.1, 2.1, 3.2])
    found = ratio_interval(made, real, rng.numpy_generator(0))
    assert found is not None
    # The first clip's own ratio is a million; it hardly moves that of the sums unless it is drawn alone.
    assert found[0] < made.sum() / real.sum() == pytest.approx(1.2333, abs=1e-3)
    assert ratio_interval(3 * real, real, rng.numpy_generator(0)) == pytest.approx((3.0, 3.0))


def test_a_ratio_of_clusters_draws_them_whole() -> None:
    who = np.array(["a", "a", "b", "c"])
    made, real = np.array([1.0, 3.0, 9.0, 9.0]), np.array([1.0, 1.0, 3.0, 3.0])
    found = ratio_interval(made, real, rng.numpy_generator(0), clusters=who)
    # The extremes are character a alone, (1 + 3) / 2, and the others alone, 9 / 3.
    assert found == pytest.approx((2.0, 3.0))
    with pytest.raises(UserError, match="4 numerators and 3"):
        ratio_interval(made, real[:3], rng.numpy_generator(0))
