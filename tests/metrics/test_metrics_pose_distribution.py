"""Distances between sets of motions: what they must see, and what must not move them."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from temporal_gan.errors import UserError
from temporal_gan.metrics import pose_distribution as motions


def waving(clips: int, frames: int, fps: float, scale: float = 1.0, seed: int = 0) -> Tensor:
    """Three joints on circles of their own speed and phase: [clips, frames, 3, 2]."""
    rng = np.random.default_rng(seed)
    speed, phase, radius = (rng.uniform(*r, (clips, 1, 3)) for r in ((3, 6), (0, 6), (5, 15)))
    angle = np.arange(frames)[None, :, None] / fps * speed + phase
    return torch.from_numpy(np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1) * scale + 50)


def features(points: Tensor, fps: float = 24.0, side: float = 40.0, window: int = 16) -> Tensor:
    b, t, j = points.shape[:3]
    return motions.pose_motion_features(
        points, torch.ones(b, t, j, dtype=torch.bool), torch.full((b, t), side), fps, window
    )


def test_features_do_not_depend_on_size_place_or_batch() -> None:
    points = waving(3, 40, 24)
    plain = features(points)
    assert plain.shape == (6, 64)
    torch.testing.assert_close(features(points * 2 + 7, side=80.0), plain)
    torch.testing.assert_close(torch.cat([features(p[None]) for p in points]), plain)


def test_straight_motion_lies_in_its_direction() -> None:
    """Down-right at 1 box side a second: sector 1 of 8 in every segment, log(1 + 4), no acceleration."""
    time = torch.arange(16.0).view(1, 16, 1, 1) / 24
    points = (40 * time / 2**0.5).expand(1, 16, 2, 2)
    row = features(points).view(8, 8)
    assert row[:4, 1].tolist() == pytest.approx([math.log(5)] * 4, rel=1e-5)
    assert row[4:].abs().max() < 1e-3
    assert row[:4].sum() == pytest.approx(4 * math.log(5), rel=1e-5)


@pytest.mark.parametrize(("degrees", "sectors"), [(22.5, {0: 0.5, 1: 0.5}), (-11.25, {0: 0.75, 7: 0.25})])
def test_a_direction_between_two_sectors_is_shared(degrees: float, sectors: dict[int, float]) -> None:
    angle = math.radians(degrees)
    way = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    points = 40 * torch.arange(16.0).view(1, 16, 1, 1) / 24 * way
    expected = [math.log(5) * sectors.get(i, 0) for i in range(8)]
    assert features(points).view(8, 8)[0].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("fps", [12.0, 24.0])
def test_a_known_acceleration_lies_in_its_direction(fps: float) -> None:
    """Upwards by 10 box sides a second squared: sector 6 of 8, log(1 + 10 / 2.5), at any frame rate."""
    time = torch.arange(16.0, dtype=torch.float64).view(1, 16, 1, 1) / fps
    points = 40 * 0.5 * 10 * time.square() * torch.tensor([0.0, -1.0])
    row = features(points, fps).view(8, 8)
    assert row[4:, 6].tolist() == pytest.approx([math.log(5)] * 4, rel=1e-6)
    assert row[4:].sum() == pytest.approx(4 * math.log(5), rel=1e-6)


def test_missing_joints_do_not_count() -> None:
    points = waving(1, 16, 24)
    plain = motions.pose_motion_features(
        points[:, :, :2], torch.ones(1, 16, 2, dtype=torch.bool), torch.full((1, 16), 40.0), 24
    )
    points[:, :, 2] = math.nan
    present = torch.ones(1, 16, 3, dtype=torch.bool)
    present[:, :, 2] = False
    torch.testing.assert_close(
        motions.pose_motion_features(points, present, torch.full((1, 16), 40.0), 24), plain
    )


def test_distance_orders_the_distortions() -> None:
    real, made = features(waving(100, 32, 24, seed=1)), waving(100, 32, 24, seed=2)
    floor = motions.pose_motion_distance(features(made), real)
    noise = torch.randn(made.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    jitter = [motions.pose_motion_distance(features(made + sd * noise), real) for sd in (0.25, 0.5, 1.0, 2.0)]
    frozen = motions.pose_motion_distance(features(made[:, :1].expand_as(made)), real)
    shuffled = motions.pose_motion_distance(features(made[:, torch.randperm(32)]), real)
    fast = motions.pose_motion_distance(features(made[:, ::2].repeat(1, 2, 1, 1)), real)
    assert floor < jitter[0] < jitter[1] < jitter[2] < jitter[3]
    assert min(frozen, shuffled, fast) > 3 * floor


def test_frame_rate_divides_out() -> None:
    slow, fast = features(waving(200, 32, 24), 24, window=16), features(waving(200, 64, 48), 48, window=32)
    torch.testing.assert_close(fast.mean(dim=0), slow.mean(dim=0), rtol=0.05, atol=0.01)


def test_short_clips_are_refused() -> None:
    with pytest.raises(UserError, match="window 16"):
        features(waving(1, 15, 24))


def test_diversity_by_hand() -> None:
    assert motions.diversity(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])) == pytest.approx(10 / 3)
    assert motions.diversity(torch.ones(4, 2)) == 0
    many = torch.randn(2500, 3, generator=torch.Generator().manual_seed(0))
    assert motions.diversity(many) == pytest.approx(float(torch.pdist(many.double()).mean()), rel=1e-12)
    with pytest.raises(UserError, match="N >= 2"):
        motions.diversity(torch.ones(1, 2))


def test_mode_coverage_by_hand() -> None:
    real = np.array([0, 0, 1, 2])
    assert motions.mode_coverage(real, real) == (1, 1)
    covered, overlap = motions.mode_coverage(np.array([0, 0, 0, 7]), real)
    assert covered == pytest.approx(1 / 3)
    assert overlap == pytest.approx(0.5)
    with pytest.raises(UserError, match="0 made"):
        motions.mode_coverage(np.array([]), real)
