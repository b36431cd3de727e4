"""Agreement and rank correlation against a published example and SciPy; the crossed bootstrap against simulation."""

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from temporal_gan.errors import UserError
from temporal_gan.metrics.agreement import krippendorff_alpha, rank_correlations
from temporal_gan.metrics.crossed_bootstrap import crossed_intervals, crossed_weights

N = np.nan
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
)


def test_alpha_of_the_published_example() -> None:
    assert krippendorff_alpha(PUBLISHED, "nominal") == pytest.approx(0.743, abs=0.0006)
    assert krippendorff_alpha(PUBLISHED, "ordinal") == pytest.approx(0.815, abs=0.0006)


def test_alpha_at_its_ends() -> None:
    agreed = np.array([[1.0, 2, 5], [1, 2, 5]])
    assert krippendorff_alpha(agreed, "ordinal") == pytest.approx(1)
    # Two raters who always differ in a two-valued question: worse than chance.
    opposed = np.array([[0.0, 1] * 20, [1, 0] * 20])
    assert -1.1 < (krippendorff_alpha(opposed, "nominal") or 0) < -0.9
    coins = np.random.default_rng(0).integers(0, 2, (8, 400)).astype(float)
    assert krippendorff_alpha(coins, "nominal") == pytest.approx(0, abs=0.03)
    assert krippendorff_alpha(np.array([[1.0, N], [N, 2]]), "nominal") is None
    assert krippendorff_alpha(np.ones((3, 4)), "nominal") is None
    with pytest.raises(UserError, match=r"\(3,\), expected \[raters, units\]"):
        krippendorff_alpha(np.ones(3), "nominal")


def test_rank_correlations_are_scipys() -> None:
    generator = np.random.default_rng(1)
    first = generator.integers(0, 6, 25).astype(float)  # with ties
    second = generator.integers(0, 9, (3, 25)) + 0.5 * first
    rho, tau = rank_correlations(first, second)
    for row in range(3):
        assert rho[row] == pytest.approx(spearmanr(first, second[row]).statistic, abs=1e-12)
        assert tau[row] == pytest.approx(kendalltau(first, second[row]).statistic, abs=1e-12)


def test_a_constant_list_has_no_correlation() -> None:
    rho, tau = rank_correlations(np.arange(4.0), np.array([[1.0, 1, 1, 1], [3, 2, 1, 0]]))
    np.testing.assert_array_equal(rho, [np.nan, -1])
    np.testing.assert_array_equal(tau, [np.nan, -1])
    with pytest.raises(UserError, match="N >= 2"):
        rank_correlations(np.ones(1), np.ones(1))


def test_crossed_weights_keep_their_numbers() -> None:
    drawn = list(crossed_weights(5, 7, np.random.default_rng(0), 200))
    assert all(raters.sum() == 5 and clips.sum() == 7 for raters, clips in drawn)
    assert np.mean([raters for raters, _ in drawn]) == pytest.approx(1)
    assert len({tuple(clips) for _, clips in drawn}) > 150


def test_crossed_intervals_cover() -> None:
    """Answers = rater's taste + clip's quality + noise: 95 % means that; taking answers as independent does not."""
    generator = np.random.default_rng(0)
    covered = narrow = 0
    for _ in range(200):
        table = (
            generator.normal(0, 0.7, (24, 1))
            + generator.normal(0, 0.7, (1, 24))
            + generator.normal(0, 1, (24, 24))
        )

        def mean(raters: np.ndarray, clips: np.ndarray, table: np.ndarray = table) -> np.ndarray:
            return np.array([raters @ table @ clips / 24**2])

        bounds = crossed_intervals(mean, 24, 24, generator, 300)
        assert bounds is not None
        covered += bool(bounds[0, 0] <= 0 <= bounds[0, 1])
        narrow += bool(abs(table.mean()) <= 1.96 * table.std() / 24)
    assert 0.90 <= covered / 200 <= 0.99
    assert narrow / 200 < 0.5


def test_crossed_intervals_say_when_they_know_nothing() -> None:
    generator = np.random.default_rng(0)
    assert crossed_intervals(lambda r, c: np.ones(1), 2, 9, generator) is None
    assert crossed_intervals(lambda r, c: None, 9, 9, generator, 50) is None
    bounds = crossed_intervals(lambda r, c: np.array([np.nan, r[0]]), 9, 9, generator, 50)
    assert bounds is not None
    assert np.isnan(bounds[0]).all()
    assert bounds[1, 0] == 0 < bounds[1, 1]
