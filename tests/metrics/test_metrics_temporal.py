"""Temporal metrics against closed forms; a frozen clip may not win unseen."""

import math

import pytest
import torch

from temporal_gan.errors import UserError
from temporal_gan.metrics import temporal, trajectories


def still(b: int, t: int, h: int, w: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.zeros(b, t - 1, 2, h, w), torch.ones(b, t - 1, 1, h, w, dtype=torch.bool)


def test_warping_error_of_brightness_flicker_has_its_closed_form() -> None:
    """E = mean(I^2 (g_t - g_{t+1})^2) for a still picture times a gain g_t."""
    picture = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(0))
    gains = torch.tensor([1.0, 0.9, 0.97, 0.8])
    video = (picture * gains.view(-1, 1, 1, 1))[None]
    error, kept = temporal.warping_error(video, *still(1, 4, 20, 24))
    expected = picture.square().mean() * gains.diff().square().mean()
    assert float(error) == pytest.approx(float(expected), rel=1e-5)
    assert float(kept) == 1


def test_warping_error_of_noise_is_twice_its_variance() -> None:
    noise = torch.randn(1, 9, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    error, _ = temporal.warping_error(0.5 + 0.05 * noise, *still(1, 9, 64, 64))
    # 98,304 differences, neighbours share frames: the relative sd of the estimate is below 1 %.
    assert float(error) == pytest.approx(2 * 0.05**2, rel=0.03)


def test_warping_error_of_a_moving_picture_with_its_flow_is_zero() -> None:
    picture = torch.rand(3, 16, 32, generator=torch.Generator().manual_seed(1))
    video = torch.stack([picture.roll(2 * t, dims=-1) for t in range(4)])[None]
    flow, valid = still(1, 4, 16, 32)
    flow[:, :, 0] = 2
    valid[..., -2:] = False
    error, kept = temporal.warping_error(video, flow, valid)
    assert float(error) < 1e-9
    assert float(kept) == pytest.approx(30 / 32)
    wrong, _ = temporal.warping_error(video, -flow, valid)
    assert float(wrong) > 0.05


def test_warping_error_skips_hidden_pixels_even_where_their_flow_is_nan() -> None:
    video = torch.zeros(2, 2, 3, 4, 4)
    video[:, 1, :, 0] = 1
    flow, valid = still(2, 2, 4, 4)
    valid[0, :, :, 0] = False
    flow[0, :, :, 0] = math.nan
    valid[1] = False
    error, kept = temporal.warping_error(video, flow, valid)
    assert float(error[0]) == 0
    assert math.isnan(float(error[1]))
    assert kept.tolist() == [0.75, 0]


def test_warping_error_does_not_depend_on_the_batch() -> None:
    generator = torch.Generator().manual_seed(2)
    video = torch.rand(3, 3, 3, 12, 12, generator=generator)
    flow = torch.randn(3, 2, 2, 12, 12, generator=generator)
    valid = torch.rand(3, 2, 1, 12, 12, generator=generator) > 0.3
    error, _ = temporal.warping_error(video, flow, valid)
    one = [temporal.warping_error(video[i : i + 1], flow[i : i + 1], valid[i : i + 1])[0] for i in range(3)]
    torch.testing.assert_close(torch.cat(one), error, rtol=1e-6, atol=0)


def test_warping_error_names_a_mask_of_the_wrong_shape() -> None:
    flow, valid = still(1, 3, 8, 8)
    with pytest.raises(ValueError, match="valid is"):
        temporal.warping_error(torch.zeros(1, 3, 3, 8, 8), flow, valid[:, :1])


def test_motion_ratio_reads_the_character_only() -> None:
    real, mask = still(1, 3, 8, 8)
    mask[..., 4:] = False
    real[..., :4] = 3.0
    made = real.clone() / 2
    made[..., 4:] = 100
    assert float(temporal.motion_ratio(made, real, mask)) == pytest.approx(0.5)
    assert float(temporal.motion_ratio(real, real, mask)) == 1
    assert float(temporal.motion_ratio(torch.zeros_like(real), real, mask)) == 0


def test_motion_ratio_measures_length_and_not_one_axis() -> None:
    real, mask = still(1, 2, 8, 8)
    made = real.clone()
    real[:, :, 0] = 5
    made[:, :, 0], made[:, :, 1] = 3, 4
    assert float(temporal.motion_ratio(made, real, mask)) == pytest.approx(1)


def test_ratios_to_a_clip_that_stands_still_are_nan() -> None:
    zero, mask = still(1, 4, 8, 8)
    assert math.isnan(float(temporal.motion_ratio(zero + 1, zero, mask)))
    assert math.isnan(float(temporal.motion_ratio(zero + 1, zero + 1, mask & False)))
    assert math.isnan(float(temporal.flow_acceleration_ratio(zero, zero + 1, mask)))
    points = torch.zeros(1, 4, 2, 2)
    assert math.isnan(float(trajectories.acceleration_ratio(points, points, points[..., 0] == 0)))


def test_constant_velocity_has_no_acceleration() -> None:
    time = torch.arange(6.0).view(1, 6, 1, 1)
    speed = torch.tensor([[1.5, -2.0], [0.3, 0.7]])
    straight = 10 + time * speed
    curved = straight + 0.5 * time.square()
    present = torch.ones(1, 6, 2, dtype=torch.bool)
    assert float(trajectories.acceleration_ratio(straight, curved, present)) == pytest.approx(0, abs=1e-5)
    doubled = straight + time.square()
    assert float(trajectories.acceleration_ratio(doubled, curved, present)) == pytest.approx(2, rel=1e-5)


def test_acceleration_skips_joints_that_are_missing_in_any_of_three_frames() -> None:
    time = torch.arange(5.0).view(1, 5, 1, 1)
    real = (0.5 * time.square()).expand(1, 5, 2, 2).clone()
    made = real.clone()
    made[:, 2, 1] = math.nan
    present = ~made.isnan().any(dim=-1)
    assert float(trajectories.acceleration_ratio(made, real, present)) == pytest.approx(1)
    with pytest.raises(ValueError, match="keypoint trajectories"):
        trajectories.acceleration_ratio(made, real, present[:, :2])


def test_flow_acceleration_sees_jitter_and_is_one_for_the_same_flow() -> None:
    real, mask = still(1, 5, 8, 8)
    real += torch.tensor([1.0, 1.2, 1.4, 1.6]).view(1, 4, 1, 1, 1)
    jitter = real + torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 4, 1, 1, 1)
    assert float(temporal.flow_acceleration_ratio(real, real, mask)) == 1
    # Changes of 0.2 become 2 - 0.2 and 2 + 0.2: (1.8 + 2.2 + 1.8) / 0.6.
    assert float(temporal.flow_acceleration_ratio(jitter, real, mask)) == pytest.approx(5.8 / 0.6, rel=1e-4)


def test_flow_acceleration_needs_three_frames() -> None:
    flow, mask = still(1, 2, 8, 8)
    assert math.isnan(float(temporal.flow_acceleration_ratio(flow + 1, flow + 1, mask)))


def test_warping_error_over_the_character_keeps_its_own_fraction() -> None:
    flow, valid = still(1, 3, 8, 8)
    video = torch.zeros(1, 3, 3, 8, 8)
    video[:, 1, :, :, :4] = 0.5
    mask = torch.zeros_like(valid)
    mask[..., :4] = True
    valid[..., 0] = False
    error, kept = temporal.warping_error(video, flow, valid, mask)
    assert float(error) == pytest.approx(0.25)
    assert float(kept) == pytest.approx(3 / 4)
    whole, kept = temporal.warping_error(video, flow, valid)
    assert float(whole) == pytest.approx(0.25 * 3 / 7)
    assert float(kept) == pytest.approx(7 / 8)


def test_a_rotation_is_followed_by_its_analytic_flow() -> None:
    """A smooth picture turning by 3 degrees a frame: what remains is the error of bilinear sampling."""
    size, angle = 64, math.radians(3)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    x, y = x - 31.5, y - 31.5

    def turned(t: int) -> torch.Tensor:
        c, s = math.cos(t * angle), math.sin(t * angle)
        u, v = c * x + s * y, -s * x + c * y
        return torch.stack(
            [0.5 + 0.4 * torch.sin(u / 6), 0.5 + 0.4 * torch.cos(v / 7), 0.5 + 0.2 * torch.sin((u + v) / 9)]
        )

    video = torch.stack([turned(t) for t in range(4)])[None]
    c, s = math.cos(angle), math.sin(angle)
    step = torch.stack([c * x - s * y - x, s * x + c * y - y]).expand(1, 3, 2, size, size)
    inside = (x.square() + y.square() < 30**2).expand(1, 3, 1, size, size)
    error, _ = temporal.warping_error(video, step, inside)
    backwards, _ = temporal.warping_error(video, -step, inside)
    assert float(error) < 1e-5
    assert float(backwards) > 1e-3


def test_flow_distance_by_hand() -> None:
    real, mask = still(2, 3, 4, 4)
    made = real.clone()
    made[0, 0, 0], made[0, 0, 1] = 3.0, 4.0
    assert temporal.flow_distance(made, real).tolist() == [2.5, 0]
    mask[0, 0] = False
    mask[1] = False
    over_mask = temporal.flow_distance(made, real, mask)
    assert float(over_mask[0]) == 0
    assert math.isnan(float(over_mask[1]))
    with pytest.raises(UserError, match="flows are"):
        temporal.flow_distance(made, real[:, :1])


def test_perceptual_change_tells_flicker_from_freezing_by_its_sign() -> None:
    real = torch.tensor([[0.2, 0.4], [0.2, 0.4], [0.2, 0.4]])
    made = torch.tensor([[0.3, 0.5], [0.0, 0.0], [0.4, 0.2]])
    size, sign = temporal.perceptual_change_distance(made, real)
    assert size.tolist() == pytest.approx([0.1, 0.3, 0.2])
    assert sign.tolist() == pytest.approx([0.1, -0.3, 0.0], abs=1e-7)
    with pytest.raises(UserError, match="tLP"):
        temporal.perceptual_change_distance(made, real[:, :1])


def test_flicker_is_read_where_nothing_moves() -> None:
    flow, valid = still(1, 3, 8, 8)
    flow[..., :4] = 2
    valid[..., 7] = False
    static = temporal.static_region(flow, valid)
    assert static.double().mean() == pytest.approx(3 / 8)
    video = torch.zeros(1, 3, 3, 8, 8)
    video[:, 1] = 0.1
    video[..., :4] = torch.rand(1, 3, 3, 8, 4)
    video[:, 2, :, :, 7] = 1
    assert float(temporal.flicker(video, static)) == pytest.approx(0.1, rel=1e-6)
    assert math.isnan(float(temporal.flicker(video, static & False)))
    with pytest.raises(UserError, match=r"expected \[0, 1\]"):
        temporal.flicker(video * 3 - 1, static)
    with pytest.raises(UserError, match=r"expected \[0, 1\]"):
        temporal.warping_error(video * 3 - 1, flow, valid)


def test_jerk_is_zero_for_a_parabola_and_sees_jitter_best() -> None:
    time = torch.arange(12.0).view(1, 12, 1, 1)
    present = torch.ones(1, 12, 2, dtype=torch.bool)
    parabola, cubic = (0.3 * time.square()).expand(1, 12, 2, 2), (0.05 * time**3).expand(1, 12, 2, 2)
    assert float(trajectories.jerk_ratio(parabola, cubic, present)) == pytest.approx(0, abs=1e-4)
    assert float(trajectories.jerk_ratio(2 * cubic, cubic, present)) == pytest.approx(2, rel=1e-4)
    shaky = cubic + torch.randn(cubic.shape, generator=torch.Generator().manual_seed(0))
    jerk = float(trajectories.jerk_ratio(shaky, cubic, present))
    assert jerk > float(trajectories.acceleration_ratio(shaky, cubic, present)) > 1
    assert math.isnan(float(trajectories.jerk_ratio(cubic[:, :3], cubic[:, :3], present[:, :3])))


def test_acceleration_error_by_hand() -> None:
    """One joint kicked by 1 px in one frame: second differences of 1, -2 and 1 in three of the eight counted."""
    real = (torch.arange(10.0).view(1, 10, 1, 1) * 2).expand(1, 10, 1, 2).clone()
    made = real.clone()
    made[:, 4, 0, 0] += 1
    present = torch.ones(1, 10, 1, dtype=torch.bool)
    assert float(trajectories.acceleration_error(made, real, present)) == pytest.approx(4 / 8)
    assert float(trajectories.acceleration_error(real + 5, real, present)) == 0
    made[:, 9] = math.nan
    present[:, 9] = False
    assert float(trajectories.acceleration_error(made, real, present)) == pytest.approx(4 / 7)
