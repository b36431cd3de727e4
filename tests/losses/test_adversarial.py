"""Adversarial losses against their closed forms, from both sides: a sign error or a missing factor is caught."""

import math

import pytest
import torch

from temporal_gan.losses.adversarial import BOUNDARY, Adversarial, critic_loss, generator_loss, sides

KINDS: tuple[Adversarial, ...] = ("bce", "lsgan", "hinge", "wgan")
LOGITS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(kind: Adversarial, real: float, fake: float) -> tuple[float, float]:
    """The papers' formulas for a single logit each: the critic's loss and the generator's."""
    if kind == "bce":
        return -math.log(sigmoid(real)) - math.log(1 - sigmoid(fake)), -math.log(sigmoid(fake))
    if kind == "lsgan":
        return 0.5 * (real - 1) ** 2 + 0.5 * fake**2, 0.5 * (fake - 1) ** 2
    if kind == "wgan":
        return fake - real, -fake
    return max(0, 1 - real) + max(0, 1 + fake), -fake


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("real", LOGITS)
@pytest.mark.parametrize("fake", LOGITS)
def test_losses_equal_the_closed_form(kind: Adversarial, real: float, fake: float) -> None:
    critic, generator = by_hand(kind, real, fake)
    # 1e-6: a few roundings of float32.
    assert critic_loss(kind, torch.tensor([[real]]), torch.tensor([[fake]])).item() == pytest.approx(
        critic, abs=1e-6
    )
    assert generator_loss(kind, torch.tensor([[fake]])).item() == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_each_clip_is_the_mean_over_its_own_patches(kind: Adversarial) -> None:
    real, fake = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    critic, generator = critic_loss(kind, real, fake), generator_loss(kind, fake)
    assert critic.shape == generator.shape == (3,)
    pairs = zip(real[1].flatten().tolist(), fake[1].flatten().tolist(), strict=True)
    wanted = torch.tensor([by_hand(kind, r, f) for r, f in pairs], dtype=torch.float64).mean(0)
    assert critic[1].item() == pytest.approx(wanted[0].item(), abs=1e-5)
    assert generator[1].item() == pytest.approx(wanted[1].item(), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_pull_real_up_and_fake_down_and_the_generator_the_other_way(kind: Adversarial) -> None:
    real, fake = torch.zeros(1, 1, requires_grad=True), torch.zeros(1, 1, requires_grad=True)
    critic_loss(kind, real, fake).sum().backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.item() < 0
    assert fake.grad.item() > 0 or kind == "lsgan"  # lsgan wants made logits at 0, where they are
    wanted = torch.zeros(1, 1, requires_grad=True)
    generator_loss(kind, wanted).sum().backward()
    assert wanted.grad is not None
    assert wanted.grad.item() < 0


def test_bce_stays_finite_at_extreme_logits() -> None:
    far = torch.tensor([[200.0]])
    assert critic_loss("bce", -far, far).item() == pytest.approx(400)
    assert generator_loss("bce", -far).item() == pytest.approx(200)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_logits_are_averaged_in_float32(kind: Adversarial) -> None:
    logits = torch.ones(1, 4096, dtype=torch.bfloat16)
    assert critic_loss(kind, logits, logits).dtype == torch.float32
    assert generator_loss(kind, logits).item() == pytest.approx(by_hand(kind, 1, 1)[1], abs=1e-5)


@pytest.mark.parametrize("real", LOGITS)
@pytest.mark.parametrize("fake", LOGITS)
def test_smoothed_labels_equal_the_closed_form(real: float, fake: float) -> None:
    logits = torch.tensor([[real]]), torch.tensor([[fake]])
    p = sigmoid(real)
    bce = -0.9 * math.log(p) - 0.1 * math.log(1 - p) - math.log(1 - sigmoid(fake))
    assert critic_loss("bce", *logits, 0.1).item() == pytest.approx(bce, abs=1e-6)
    assert critic_loss("lsgan", *logits, 0.1).item() == pytest.approx(
        0.5 * (real - 0.9) ** 2 + 0.5 * fake**2, abs=1e-6
    )


def test_a_smoothed_critic_is_content_with_a_probability_below_one() -> None:
    logit = torch.tensor([[math.log(9.0)]], requires_grad=True)  # 0.9
    critic_loss("bce", logit, torch.zeros(1, 1), 0.1).sum().backward()
    assert logit.grad is not None
    assert abs(logit.grad.item()) < 1e-6


@pytest.mark.parametrize("kind", ["hinge", "wgan"])
def test_kinds_without_labels_refuse_to_smooth_them(kind: Adversarial) -> None:
    with pytest.raises(ValueError, match=f"{kind} has no label"):
        critic_loss(kind, torch.zeros(1, 1), torch.zeros(1, 1), 0.1)


@pytest.mark.parametrize(("kind", "made", "real"), [("bce", -99, 99), ("lsgan", 0, 1), ("hinge", -9, 9)])
def test_sides_are_of_the_point_that_costs_as_much_as_real_as_it_does_as_made(
    kind: Adversarial, made: float, real: float
) -> None:
    at, nothing_made, nothing_real = (torch.full((1, 1), float(x)) for x in (BOUNDARY[kind], made, real))
    torch.testing.assert_close(critic_loss(kind, at, nothing_made), critic_loss(kind, nothing_real, at))
    signs, verdicts = sides(kind, BOUNDARY[kind] + torch.tensor([[0.1, 2.0], [-0.2, 1.0]]))
    assert (float(signs), int(verdicts)) == (2.0, 4)


def test_a_logit_of_nothing_is_no_verdict_and_wgan_gives_none() -> None:
    signs, verdicts = sides("lsgan", torch.tensor([0.0, 0.0, 0.9]))
    assert (float(signs), int(verdicts)) == (1.0, 1)
    assert "wgan" not in BOUNDARY
