"""Comparisons and strengths: coverage by simulation, textbook values, known strengths recovered."""

import numpy as np
import pytest
from scipy.stats import kstest

from temporal_gan.errors import UserError
from temporal_gan.metrics.comparison import holm, paired_difference
from temporal_gan.metrics.crossed_bootstrap import crossed_intervals
from temporal_gan.metrics.preference import bradley_terry
from temporal_gan.metrics.statistics import (
    bootstrap_interval,
    interval_over_seeds,
    portions,
    wilson_interval,
)


def coverage(clusters: np.ndarray | None, between: float) -> float:
    """Share of 600 nominal 95 % intervals of 32 values that hold the true mean 0."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(600):
        values = rng.standard_normal(32)
        if between:
            values = values + between * rng.standard_normal(16).repeat(2)
        interval = bootstrap_interval(values, rng, draws=400, clusters=clusters)
        assert interval is not None
        held += interval[0] <= 0 <= interval[1]
    return held / 600


def test_interval_of_32_clips_covers_as_it_says() -> None:
    assert 0.90 <= coverage(None, 0.0) <= 0.97


def test_clips_of_one_character_are_resampled_together() -> None:
    characters = np.arange(16).repeat(2)
    assert 0.88 <= coverage(characters, 3.0) <= 0.97
    assert coverage(None, 3.0) < 0.86


def test_clusters_of_different_size_keep_the_mean_of_clips() -> None:
    values, clusters = np.array([1.0, 1, 1, 1, 5, 9]), np.array(["a", "a", "a", "a", "b", "c"])
    interval = bootstrap_interval(values, np.random.default_rng(0), clusters=clusters)
    assert interval is not None
    assert interval[0] == 1
    assert interval[1] == 9
    assert bootstrap_interval(values[:5], np.random.default_rng(0), clusters=clusters[:5]) is None
    with pytest.raises(UserError, match="6 values and 5"):
        bootstrap_interval(values, np.random.default_rng(0), clusters=clusters[:5])


def test_interval_over_seeds_is_wider_when_seeds_differ() -> None:
    rng = np.random.default_rng(0)
    clips = rng.standard_normal((1, 40))
    noise = 0.1 * rng.standard_normal((4, 40))
    mean, narrow = interval_over_seeds(clips + noise, np.random.default_rng(1))
    seeds = np.array([[-1.0], [1], [-1], [1]])
    _, wide = interval_over_seeds(clips + noise + seeds, np.random.default_rng(1))
    assert narrow is not None
    assert wide is not None
    assert narrow[0] < mean < narrow[1]
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])
    assert interval_over_seeds(clips + noise[:2], np.random.default_rng(1))[1] is None
    with pytest.raises(UserError, match="seeds, clips"):
        interval_over_seeds(clips[0], rng)


def test_paired_difference_sees_what_unpaired_noise_hides() -> None:
    rng = np.random.default_rng(0)
    difficulty = 10 * rng.standard_normal(24)
    better = difficulty + 1 + 0.5 * rng.standard_normal(24)
    result = paired_difference(better, difficulty, np.random.default_rng(1), draws=1999)
    assert result.mean == pytest.approx(1, abs=0.3)
    assert result.interval is not None
    assert 0 < result.interval[0] < result.mean < result.interval[1]
    assert result.p_value == pytest.approx(1 / 2000)
    other = paired_difference(difficulty, better, np.random.default_rng(1), draws=1999)
    assert (other.mean, other.p_value) == (-result.mean, result.p_value)


def test_permutation_p_values_are_uniform_without_a_difference() -> None:
    rng = np.random.default_rng(0)
    values = [paired_difference(*rng.standard_normal((2, 12)), rng, draws=199).p_value for _ in range(150)]
    assert kstest(values, "uniform").statistic < 1.63 / 150**0.5 + 1 / 200


def test_paired_difference_of_few_characters_cannot_be_significant() -> None:
    gap = np.ones(30)
    p = paired_difference(gap, 0 * gap, np.random.default_rng(0), clusters=np.arange(30) % 3).p_value
    # Three signs: both all-plus and all-minus are as far apart, 2 of 8.
    assert p == pytest.approx(0.25, abs=0.02)
    with pytest.raises(UserError, match="clip 3 has no value"):
        paired_difference(np.where(np.arange(30) == 3, np.nan, gap), gap, np.random.default_rng(0))


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    with pytest.raises(UserError, match="outside"):
        holm(np.array([1.2]))


def test_resamples_in_portions_are_the_same_resamples() -> None:
    assert portions(10, 300_000) == [3, 3, 3, 1]
    assert portions(9, 300_000) == [3, 3, 3]
    assert portions(5, 2_000_000) == [1] * 5
    values = np.random.default_rng(0).standard_normal(3000)
    picks = np.random.default_rng(1).integers(0, 3000, size=(1000, 3000))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    assert bootstrap_interval(values, np.random.default_rng(1)) == pytest.approx((low, high), rel=1e-12)


def test_wilson_interval_has_its_textbook_values() -> None:
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson_interval(61, 100) == pytest.approx((0.5120, 0.6998), abs=1e-4)
    low, high = wilson_interval(200, 400)
    assert (high - low) / 2 == pytest.approx(0.049, abs=5e-4)
    with pytest.raises(UserError, match="3 of 2"):
        wilson_interval(3, 2)


def choices(strengths: np.ndarray, raters: int, each: int, seed: int) -> np.ndarray:
    rng, k = np.random.default_rng(seed), len(strengths)
    wins = np.zeros((raters, k, k))
    for i in range(k):
        for j in range(i):
            preferred = rng.binomial(each, 1 / (1 + np.exp(strengths[j] - strengths[i])), raters)
            wins[:, i, j], wins[:, j, i] = preferred, each - preferred
    return wins


def test_bradley_terry_recovers_known_strengths() -> None:
    strengths = np.array([-1.5, -0.2, 0.1, 1.6])
    wins = choices(strengths, 40, 25, 0)
    assert bradley_terry(wins.sum(axis=0)) == pytest.approx(strengths, abs=0.15)
    split = choices(strengths, 40 * 10, 3, 1).reshape(40, 10, 4, 4)
    bounds = crossed_intervals(
        lambda raters, clips: bradley_terry(np.einsum("r,c,rcij->ij", raters, clips, split)),
        40,
        10,
        np.random.default_rng(0),
        draws=200,
    )
    assert bounds is not None
    assert (bounds[:, 0] < strengths).all()
    assert (strengths < bounds[:, 1]).all()
    assert (bounds[:, 1] - bounds[:, 0] < 0.7).all()


def test_bradley_terry_of_two_models_is_the_log_odds() -> None:
    found = bradley_terry(np.array([[7.0, 30.0], [10.0, 7.0]]))
    assert found == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    ties = bradley_terry(np.array([[0, 5.5, 5], [5.5, 0, 5], [5, 5, 0]]))
    assert ties == pytest.approx([0, 0, 0], abs=1e-12)


def test_bradley_terry_converges_where_choices_are_lopsided() -> None:
    found = bradley_terry(np.array([[0, 1000.0], [1, 0]]))
    assert found[0] - found[1] == pytest.approx(np.log(1000))


def test_models_that_never_lost_have_no_strength() -> None:
    with pytest.raises(UserError, match="always won or lost"):
        bradley_terry(np.array([[0, 3.0, 2], [0, 0, 2], [0, 1, 0]]))
    with pytest.raises(UserError, match="K >= 2"):
        bradley_terry(np.ones((2, 3)))
