"""Flow consistency: nothing for a clip that moves as its flow says, something for the wrong sign, and only where the
flow is valid."""

import torch

from temporal_gan.losses.flow import flow_consistency


def shifted_clip(
    dx: int = 2, dy: int = 1, frames: int = 3
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A random picture that moves right and down by whole pixels, its flow, and where that is valid."""
    picture = torch.rand(2, 3, 12, 16)
    video = torch.stack([picture.roll((t * dy, t * dx), (-2, -1)) for t in range(frames)], dim=1)
    flow = torch.tensor([float(dx), float(dy)]).view(1, 1, 2, 1, 1).repeat(2, frames - 1, 1, 12, 16)
    valid = torch.ones(2, frames - 1, 1, 12, 16, dtype=torch.bool)
    valid[..., 12 - dy :, :], valid[..., 16 - dx :] = False, False
    return video, flow, valid


def test_the_right_flow_costs_nothing() -> None:
    loss = flow_consistency(*shifted_clip())
    assert loss.shape == (2,)
    assert float(loss.max()) < 1e-5  # positions pass through [-1, 1] in float32


def test_the_wrong_sign_no_flow_and_swapped_axes_cost() -> None:
    video, flow, valid = shifted_clip()
    for wrong in (-flow, 0 * flow, flow.flip(2)):
        # Two independent uniform pictures differ by 1/3 on average.
        assert float(flow_consistency(video, wrong, valid).min()) > 0.2


def test_invalid_pixels_do_not_count() -> None:
    video, flow, valid = shifted_clip()
    everywhere = flow_consistency(video, flow, torch.ones_like(valid))
    assert float(everywhere.min()) > 0.01  # the border that came in from the other side
    spoilt = video.clone()
    spoilt[:, 0, :, 4:6, 4:6] += 10
    assert float(flow_consistency(spoilt, flow, valid).min()) > 0.1
    valid[:, 0, :, 4:6, 4:6] = False
    assert float(flow_consistency(spoilt, flow, valid).max()) < 1e-5


def test_the_mean_is_over_valid_pixels_only() -> None:
    video, flow = torch.zeros(1, 2, 3, 8, 8), torch.zeros(1, 1, 2, 8, 8)
    video[:, 0] = 0.5
    valid = torch.zeros(1, 1, 1, 8, 8, dtype=torch.bool)
    assert flow_consistency(video, flow, valid).tolist() == [0]
    valid[..., :3, :2] = True
    torch.testing.assert_close(flow_consistency(video, flow, valid), torch.tensor([0.5]), rtol=0, atol=1e-6)


def test_clips_do_not_mix() -> None:
    video, flow, valid = shifted_clip()
    video[1] = torch.rand(video[1].shape)
    loss = flow_consistency(video, flow, valid)
    assert float(loss[0]) < 1e-5
    assert float(loss[1]) > 0.2


def test_the_gradient_reaches_both_frames_of_a_pair() -> None:
    video, flow, valid = shifted_clip(frames=2)
    video = (video + 0.1 * torch.rand(video.shape)).requires_grad_()
    flow_consistency(video, flow, valid).sum().backward()
    assert video.grad is not None
    assert float(video.grad[:, 0].abs().sum()) > 0
    assert float(video.grad[:, 1].abs().sum()) > 0
