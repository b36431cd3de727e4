"""Coherence recovers what was put in, and says nothing where nothing was."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import Tensor

from temporal_gan.errors import UserError
from temporal_gan.metrics import coherence


def smooth(clips: int, frames: int, seed: int) -> Tensor:
    """Random curves with a memory of a few frames."""
    noise = np.random.default_rng(seed).standard_normal((clips, frames + 8))
    kernel = np.hanning(9)
    curves = np.stack([np.convolve(row, kernel / np.linalg.norm(kernel), "valid") for row in noise])
    return torch.from_numpy(curves)


@pytest.mark.parametrize("lag", [-3, 0, 2])
def test_command_lag_is_recovered_at_the_noise_of_a_reader(lag: int) -> None:
    wide = smooth(16, 80, 0)
    commanded, measured = wide[:, 8:72], wide[:, 8 - lag : 72 - lag] + smooth(16, 64, 1)
    result = coherence.command_lag(commanded, measured)
    assert result.frames == lag
    assert result.peak == pytest.approx(0.7, abs=0.1)
    assert result.at_zero <= result.peak


def test_short_or_few_clips_are_refused() -> None:
    for clips, frames in ((100, 16), (7, 64), (8, 63)):
        curve = smooth(clips, frames, 0)
        with pytest.raises(UserError, match="512 frames in all"):
            coherence.command_lag(curve, curve)
    eight = smooth(8, 64, 0)
    assert coherence.command_lag(eight, eight).frames == 0
    with pytest.raises(UserError, match="never changes"):
        coherence.command_lag(eight, torch.ones(8, 64))
    hole = eight.clone()
    hole[3, 5] = math.nan
    with pytest.raises(UserError, match="clip 3 is not finite"):
        coherence.swapped_label_auc(eight, hole)
    with pytest.raises(UserError, match="equal shapes"):
        coherence.command_lag(eight, eight[:, :-1])


def test_rates_of_a_known_motion() -> None:
    time = torch.arange(5.0).view(1, 5, 1, 1)
    points = time * torch.tensor([[3.0, 4.0], [0.0, 5.0]])
    present = torch.ones(1, 5, 2, dtype=torch.bool)
    present[:, 4, 1] = False
    energy = coherence.motion_energy(points, present, torch.full((1, 5), 10.0), fps=2)
    assert energy.tolist() == [pytest.approx([2, 2, 2, 1])]
    rate = coherence.expression_rate(torch.tensor([[[0.0, 0.0], [0.3, 0.4]]]), fps=24)
    assert float(rate) == pytest.approx(12)


def test_onsets_are_the_steepest_steps() -> None:
    curve = torch.zeros(2, 40)
    curve[0, 10:] += 1
    curve[0, 25:] += 1
    times = coherence.onsets(curve, fps=10)
    assert times[0].tolist() == pytest.approx([0.95, 2.45])
    assert len(times[1]) == 0


def test_event_alignment_by_hand() -> None:
    events = [torch.tensor([1.0, 2.0]), torch.tensor([0.5])]
    others = [torch.tensor([1.05, 9.0]), torch.tensor([])]
    expected = (math.exp(-0.5) + math.exp(-0.5 * (0.95 / 0.05) ** 2) + 0) / 3
    assert coherence.event_alignment(events, others) == pytest.approx(expected, rel=1e-5)
    assert coherence.event_alignment(events, events) == 1
    assert math.isnan(coherence.event_alignment([], []))


def test_coupled_performances_stand_out_of_the_shuffled_null() -> None:
    body = smooth(16, 96, 0)
    real = coherence.coherence_gap(
        body, body + smooth(16, 96, 1), body, body + smooth(16, 96, 2), seed=0, draws=199
    )
    assert real.gap < 0.1
    assert real.z > 5
    assert real.p_value == pytest.approx(1 / 200)
    torn = coherence.coherence_gap(body, smooth(16, 96, 1), body, body + smooth(16, 96, 2), seed=0, draws=199)
    assert torn.gap > 0.4
    assert abs(torn.z) < 3
    long = smooth(1, 600, 0)
    with pytest.raises(UserError, match="cannot be shuffled"):
        coherence.coherence_gap(long, long, long, long, seed=0)


def test_p_values_are_uniform_where_body_and_face_are_strangers() -> None:
    real = smooth(8, 64, 0)
    values = [
        coherence.coherence_gap(
            smooth(8, 64, 2 * i), smooth(8, 64, 2 * i + 1), real, real, seed=i, draws=59
        ).p_value
        for i in range(60)
    ]
    # p-values are multiples of 1/60, which moves the distribution by at most that.
    assert kstest(values, "uniform").statistic < 1.63 / 60**0.5 + 1 / 60


def test_swapped_labels_are_told_apart() -> None:
    commanded = torch.stack([smooth(12, 64, i) for i in range(3)], dim=-1)
    noise = torch.stack([smooth(12, 64, 10 + i) for i in range(3)], dim=-1)
    assert coherence.swapped_label_auc(commanded, commanded + 0.5 * noise) > 0.99
    assert coherence.swapped_label_auc(commanded, noise) == pytest.approx(0.5, abs=0.2)
    resting = commanded + torch.tensor([0.0, 5.0, 9.0])
    frozen = resting[:1, :1].expand_as(resting)
    assert coherence.swapped_label_auc(resting, frozen) == 0.5
    with pytest.raises(UserError, match="nothing can be swapped"):
        coherence.swapped_label_auc(commanded[:1].expand_as(commanded), noise)


def test_a_command_held_throughout_is_recognised() -> None:
    commanded = torch.eye(4)[:, None].expand(4, 128, 4)
    assert coherence.swapped_label_auc(commanded, 0.5 * commanded + 0.2) == 1
    # Reversed roles: of 12 swapped pairs 4 match and beat the clip's own, 8 tie with it.
    assert coherence.swapped_label_auc(commanded, commanded.flip(0)) == pytest.approx(1 / 3)
