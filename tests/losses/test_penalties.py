"""R1 is the squared gradient norm of the critic on real data, WGAN-GP its squared distance from 1 on the way to made
ones; both can be trained through."""

import pytest
import torch

from temporal_gan.losses.penalties import mix, r1, wgan_gp


def test_r1_of_a_linear_critic_is_its_squared_weight() -> None:
    weight = torch.randn(2 * 3 * 4)
    real = torch.randn(5, 2, 3, 4, requires_grad=True)
    penalty = r1((real.flatten(1) @ weight)[:, None], real)
    assert penalty.shape == (5,)
    # Exact but for the sum's rounding in float32.
    torch.testing.assert_close(penalty, weight.square().sum().expand(5), rtol=1e-5, atol=0)


def test_r1_averages_a_clips_patches_and_keeps_clips_apart() -> None:
    weight = torch.randn(6, 4)
    real = torch.randn(3, 6, requires_grad=True)
    torch.testing.assert_close(
        r1(real @ weight, real), weight.mean(1).square().sum().expand(3), rtol=1e-5, atol=0
    )
    # Of x^3 / 3 the gradient is x^2: each clip's own.
    cubic = r1(real**3 / 3, real)
    torch.testing.assert_close(cubic, (real.detach() ** 2 / 6).square().sum(1), rtol=1e-5, atol=1e-7)


def test_the_gradient_of_r1_reaches_the_critic() -> None:
    weight = torch.randn(6, requires_grad=True)
    real = torch.randn(2, 6, requires_grad=True)
    r1((real @ weight)[:, None], real).mean().backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 * weight.detach(), rtol=1e-5, atol=0)


def test_r1_shares_its_backward_pass_with_the_adversarial_loss() -> None:
    weight = torch.randn(6, requires_grad=True)
    real = torch.randn(2, 6, requires_grad=True)
    logits = (real @ weight)[:, None]
    (r1(logits, real).mean() + logits.mean()).backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 * weight.detach() + real.detach().mean(0), rtol=1e-5, atol=1e-6)


def test_r1_needs_data_that_requires_grad() -> None:
    real = torch.randn(2, 6)
    with pytest.raises(RuntimeError, match="require grad"):
        r1((real @ torch.randn(6, requires_grad=True))[:, None], real)


def test_wgan_gp_of_a_linear_critic_is_how_far_its_weight_is_from_length_one() -> None:
    weight = torch.randn(2 * 3 * 4)
    between = torch.randn(5, 2, 3, 4, requires_grad=True)
    penalty = wgan_gp((between.flatten(1) @ weight)[:, None], between)
    torch.testing.assert_close(penalty, (weight.norm() - 1).square().expand(5), rtol=1e-5, atol=1e-6)
    unit = wgan_gp((between.flatten(1) @ (weight / weight.norm()))[:, None], between)
    assert float(unit.max()) < 1e-10


def test_wgan_gp_averages_a_clips_patches_and_keeps_clips_apart() -> None:
    between = torch.randn(3, 6, requires_grad=True)
    # Of the mean of x^3 / 3 over six patches the gradient is x^2 / 6.
    length = (between.detach() ** 2 / 6).norm(dim=1)
    torch.testing.assert_close(wgan_gp(between**3 / 3, between), (length - 1).square(), rtol=1e-5, atol=1e-6)


def test_the_gradient_of_wgan_gp_reaches_the_critic_and_is_finite_where_it_is_flat() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    between = torch.randn(2, 2, requires_grad=True)
    wgan_gp((between @ weight)[:, None], between).mean().backward()
    # d (|w| - 1)^2 = 2 (|w| - 1) w / |w|, with |w| = 5
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 8 * weight.detach() / 5, rtol=1e-5, atol=0)
    flat = torch.zeros(2, requires_grad=True)
    wgan_gp((between @ flat)[:, None], between).mean().backward()
    assert flat.grad is not None
    assert bool(flat.grad.isfinite().all())


def test_a_mixed_clip_lies_between_its_own_two_and_is_a_leaf() -> None:
    real, made = torch.randn(2, 3, 4), torch.randn(2, 3, 4, requires_grad=True)
    between = mix(real, made, torch.tensor([1.0, 0.25]))
    assert torch.equal(between[0], real[0])
    torch.testing.assert_close(between[1], 0.25 * real[1] + 0.75 * made[1])
    assert between.is_leaf
    assert between.requires_grad
