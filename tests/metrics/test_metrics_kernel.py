"""KID, precision and recall, Inception score: against torch-fidelity and toy sets by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from temporal_gan.errors import UserError
from temporal_gan.metrics.inception_score import inception_score
from temporal_gan.metrics.kernel import kid, permutation_p_value, squared_mmd, squared_mmd_interval
from temporal_gan.metrics.precision_recall import support


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_kid_draws_and_weighs_as_torch_fidelity() -> None:
    a, b = normal(90, 12, 0), normal(120, 12, 1, shift=0.2)
    theirs = kid_features_to_metric(a, b, kid_subsets=9, kid_subset_size=50, rng_seed=2020, verbose=False)
    mean, spread = kid(a, b, subsets=9, subset_size=50)
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-9)
    assert spread == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-9)
    assert abs(mean) > 1e-3


def test_squared_mmd_by_hand() -> None:
    """D = 1: k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1, k(1, 2) = 27, k(0, 2) = 1."""
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0], [2.0]])
    within_a, within_b = 1.0, (1 + 1 + 27) / 3
    across = (1 + 1 + 1 + 1 + 8 + 27) / 6
    assert squared_mmd(a, b) == pytest.approx(within_a + within_b - 2 * across, rel=1e-12)


def test_squared_mmd_of_the_same_law_is_zero_on_average_and_takes_both_signs() -> None:
    values = np.array([squared_mmd(normal(30, 6, 2 * i), normal(25, 6, 2 * i + 1)) for i in range(200)])
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    assert 0.2 < (values < 0).mean() < 0.8


def test_order_changes_nothing() -> None:
    a, b = normal(40, 5, 0), normal(50, 5, 1, shift=0.3)
    assert squared_mmd(a.flip(0), b.roll(7, 0)) == pytest.approx(squared_mmd(a, b), rel=1e-10)
    assert support(a.flip(0), b.roll(7, 0)) == support(a, b)


def test_permutation_deals_whole_clips() -> None:
    """Clips that differ among themselves look like a difference of sets to a test that deals frames."""
    clip_means = normal(24, 3, 5)
    frames = clip_means.repeat_interleave(16, 0) + 0.1 * normal(24 * 16, 3, 6)
    clips = np.arange(24).repeat(16)
    a, b = frames[: 12 * 16], frames[12 * 16 :]
    by_clip = permutation_p_value(a, b, clips[: 12 * 16], clips[12 * 16 :], seed=0, draws=199)
    by_frame = permutation_p_value(a, b, np.arange(len(a)), np.arange(len(b)), seed=0, draws=199)
    assert by_clip > 0.05
    assert by_frame == pytest.approx(1 / 200)
    far = permutation_p_value(a + 5, b, clips[: 12 * 16], clips[12 * 16 :], seed=0, draws=199)
    assert far == pytest.approx(1 / 200)


def test_permutation_p_values_are_fair_under_the_null() -> None:
    clips = np.arange(12)
    values = [
        permutation_p_value(normal(12, 4, 2 * i), normal(12, 4, 2 * i + 1), clips, clips, seed=i, draws=39)
        for i in range(120)
    ]
    assert 0.4 < np.mean(values) < 0.6
    assert np.mean(np.array(values) <= 0.2) == pytest.approx(0.2, abs=0.11)


def test_jackknife_interval_covers_the_distance_of_two_laws() -> None:
    """Of unit normal laws m apart the distance is that of their first three moments; s = |m|^2, D = 2."""
    s = 2 * 0.7**2
    truth = 3 / 2 * s + 3 / 4 * s**2 + (s**3 + 6 * s**2 + (3 * 2 + 6) * s) / 8
    many = squared_mmd(normal(1000, 2, 1), normal(1000, 2, 2, shift=0.7))
    assert many == pytest.approx(truth, rel=0.15)
    clips = np.arange(32)
    held = 0
    for i in range(100):
        low, high = squared_mmd_interval(
            normal(32, 2, 10 + 2 * i), normal(32, 2, 11 + 2 * i, shift=0.7), clips, clips
        )
        held += low <= truth <= high
    # 100 trials have an sd of 2.2 %.
    assert 0.86 <= held / 100 <= 0.99


def test_jackknife_leaves_out_whole_clips() -> None:
    clip_means = normal(24, 3, 5)
    frames = clip_means.repeat_interleave(16, 0) + 0.1 * normal(24 * 16, 3, 6)
    clips = np.arange(24).repeat(16)
    a, b = frames[: 12 * 16], frames[12 * 16 :]
    low, high = squared_mmd_interval(a, b, clips[: 12 * 16], clips[12 * 16 :])
    assert (low + high) / 2 == pytest.approx(squared_mmd(a, b), rel=1e-9)
    low_f, high_f = squared_mmd_interval(a, b, np.arange(len(a)), np.arange(len(b)))
    assert high - low > 2.5 * (high_f - low_f)
    with pytest.raises(UserError, match="3 or more"):
        squared_mmd_interval(a[:32], b, clips[:32], clips[12 * 16 :])


def test_support_of_toy_sets_by_hand() -> None:
    """On a line, k = 1: every ball reaches to the next point."""
    real = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    made = torch.tensor([[0.5], [0.6], [20.0]])
    result = support(made, real, neighbours=1)
    # Balls of the real points: [-1, 1], [0, 2], [9, 11], [10, 12]: two of three made points lie inside, in two each.
    assert result.precision == pytest.approx(2 / 3)
    assert result.density == pytest.approx(4 / 3)
    assert result.coverage == pytest.approx(1 / 2)
    # Balls of the made points: [0.4, 0.6], [0.5, 0.7] and [0.6, 39.4]: 1, 10 and 11 lie in the last one.
    assert result.recall == pytest.approx(3 / 4)


def test_support_equals_torch_fidelity_and_sees_collapse() -> None:
    a, b = normal(60, 4, 0), normal(70, 4, 1, shift=0.5)
    theirs = prc_features_to_metric(a, b, prc_neighborhood=3, save_cpu_ram=False, verbose=False)
    ours = support(a, b)
    assert ours.precision == pytest.approx(theirs["precision"], abs=1e-6)
    assert ours.recall == pytest.approx(theirs["recall"], abs=1e-6)
    assert 0 < ours.recall < 1
    same = support(b, b)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    collapsed = support(b[:1].expand(50, 4), b)
    assert collapsed.precision == 1
    assert collapsed.recall <= 1 / 70
    assert collapsed.coverage < 0.2


def test_inception_score_equals_torch_fidelity_and_its_extremes() -> None:
    logits = normal(50, 20, 0)
    theirs = isc_features_to_metric(logits)
    assert inception_score(logits) == (
        theirs["inception_score_mean"],
        theirs["inception_score_std"],
    )
    assert inception_score(torch.zeros(20, 7))[0] == pytest.approx(1)
    certain = 100 * torch.eye(5).repeat(20, 1)
    assert inception_score(certain, splits=1)[0] == pytest.approx(5)


def test_too_few_vectors_are_refused() -> None:
    a = normal(5, 2, 0)
    for call, message in (
        (lambda: kid(a, a), "at least 1000"),
        (lambda: squared_mmd(a[:1], a), "at least 2"),
        (lambda: support(a[:3], a), "more than 3"),
        (lambda: inception_score(a), "10 splits"),
        (lambda: permutation_p_value(a, a, np.zeros(5), np.arange(5), seed=0), "1 and 5 clips"),
        (lambda: permutation_p_value(a, a, np.zeros(4), np.arange(5), seed=0), "4 and 5 clip numbers"),
    ):
        with pytest.raises(UserError, match=message):
            call()


def test_permutation_counts_what_brute_force_counts() -> None:
    """Unequal clips of unequal length: every deal scored by squared_mmd on the vectors themselves."""
    vectors, clips = normal(14, 3, 7), np.array([0, 0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 5])
    first = clips < 2
    a, b = vectors[first], vectors[~first] + 0.8
    p = permutation_p_value(a, b, clips[first], clips[~first], seed=3, draws=99)
    pooled, rng = torch.cat([a, b]), np.random.default_rng(3)
    observed, far = squared_mmd(a, b), 0
    for _ in range(99):
        dealt = (np.arange(6) < 2)[rng.permutation(6)][clips]
        far += (
            squared_mmd(pooled[torch.from_numpy(dealt)], pooled[torch.from_numpy(~dealt)]) >= observed - 1e-9
        )
    assert p == pytest.approx((1 + far) / 100)
    assert 0.02 < p < 0.9
