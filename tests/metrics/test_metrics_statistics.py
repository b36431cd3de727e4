"""The interval covers what it says, and says nothing about two clips."""

import numpy as np

from temporal_gan import rng
from temporal_gan.metrics.statistics import bootstrap_interval


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
