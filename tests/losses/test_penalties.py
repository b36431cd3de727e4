"""R1: the squared gradient norm of the critic on real data, and it can be trained through."""

import pytest
import torch

from temporal_gan.losses.penalties import r1


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
