"""Every switch of the critics changes what it says it changes, and nothing else."""

import copy
from dataclasses import replace

import pytest
import torch
from single_steps import clips, fresh, made_by, one_step, settings, slopes
from torch import nn

from temporal_gan import rng
from temporal_gan.distributed import World
from temporal_gan.training.step import take_step


@pytest.mark.parametrize("kind", ["wgan", "hinge"])
def test_the_gradient_penalty_is_taken_between_real_and_made_for_every_critic(kind: str) -> None:
    cfg = settings(losses__adversarial=kind, losses__r1_gamma=0.0, losses__gp_weight=10.0)
    batch = clips()
    state, log = one_step(cfg, 3, batch)
    plain, log_plain = one_step(settings(losses__adversarial="hinge", losses__r1_gamma=0.0), 3, batch)
    hand = fresh(cfg, 3)
    made, condition = made_by(hand, batch, cfg)
    share = rng.uniform((2,), cfg.train.seed, 3, "gradient penalty").view(2, 1, 1, 1, 1)
    between = (share * batch.video + (1 - share) * made).requires_grad_()
    for name, critic in hand.critics.items():
        (slope,) = torch.autograd.grad(
            critic(between, condition)[0].mean(1).sum(), between, create_graph=True
        )
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        assert log[f"loss/{name}_gp"] == pytest.approx(penalty.item(), rel=1e-4)
        (10 * penalty).backward()
        on_real, on_made = (critic(v, condition)[0] for v in (batch.video, made))
        adversarial = (
            (on_made - on_real).mean()
            if kind == "wgan"
            else (torch.relu(1 - on_real) + torch.relu(1 + on_made)).mean()
        )
        adversarial.backward()
        assert log[f"loss/{name}_critic"] == pytest.approx(adversarial.item(), rel=1e-4, abs=1e-6)
    difference = (slopes(state.critics) - slopes(hand.critics)).abs().max()
    assert float(difference) < 1e-4 * float(slopes(hand.critics).abs().max())
    assert not any(k.endswith("_gp") for k in log_plain)
    assert log["loss/l1"] == log_plain["loss/l1"]
    assert not torch.equal(slopes(state.critics), slopes(plain.critics))


@pytest.mark.parametrize("kind", ["bce", "lsgan"])
def test_label_smoothing_changes_the_critics_loss_alone(kind: str) -> None:
    state, sharp = one_step(settings(losses__adversarial=kind))
    smooth = one_step(settings(losses__adversarial=kind, losses__label_smoothing=0.2))[1]
    real = sharp["logit/frame_real"]
    # By how much, for logits near 0: bce s * real; lsgan (real - 0.8)^2 / 2 - (real - 1)^2 / 2.
    wanted = 0.2 * real if kind == "bce" else 0.2 * real - 0.18
    assert smooth["loss/frame_critic"] - sharp["loss/frame_critic"] == pytest.approx(wanted, abs=1e-5)
    for key in ("logit/frame_real", "logit/frame_made", "loss/l1", "loss/flow"):
        assert smooth[key] == sharp[key]


@pytest.mark.parametrize(
    "view",
    [{"noise": 0.5}, {"colour": 1.0}, {"translation": 0.25}, {"cutout": 0.5}],
    ids=lambda v: next(iter(v)),
)
def test_the_critics_view_changes_what_critics_see_and_nothing_else(view: dict[str, float]) -> None:
    _, plain = one_step(settings())
    _, seen = one_step(settings(losses__critic_view=view))
    assert seen.keys() == plain.keys()
    for name in ("frame", "clip"):
        for key in (
            f"logit/{name}_real",
            f"logit/{name}_made",
            f"loss/{name}_critic",
            f"loss/{name}_generator",
        ):
            assert seen[key] != plain[key], key
    assert seen["loss/l1"] == plain["loss/l1"]
    assert seen["loss/flow"] == plain["loss/flow"]


def test_faded_noise_is_no_noise() -> None:
    assert (
        one_step(settings(losses__critic_view={"noise": 0.5, "noise_steps": 3}), 3)[1]
        == one_step(settings(), 3)[1]
    )


def test_a_critics_accuracy_is_the_share_of_its_logits_on_the_right_side() -> None:
    cfg, batch = settings(), clips()
    state = fresh(cfg)
    for critic in state.critics.values():
        for parameter in critic.parameters():
            parameter.data.mul_(3)
    hand = copy.deepcopy(state)
    made, condition = made_by(hand, batch, cfg)
    log = take_step(state, batch, cfg, World())
    for name, critic in hand.critics.items():
        real, fake = (critic(v, condition)[0] for v in (batch.video, made))
        shares = float((real > 0).float().mean()), float((fake < 0).float().mean())
        assert min(shares) > 0.05
        assert max(shares) < 0.95
        assert float(log[f"accuracy/{name}_real"]) == pytest.approx(shares[0], abs=1e-6)
        assert float(log[f"accuracy/{name}_made"]) == pytest.approx(shares[1], abs=1e-6)


def test_crops_that_are_not_there_are_neither_right_nor_wrong() -> None:
    cfg = settings(critics__region={"weight": 1.0, "crop": 16, "width": 4})
    batch = replace(clips(), confidence=torch.zeros_like(clips().confidence))
    _, log = one_step(cfg, batch=batch)
    assert (log["accuracy/region_real"], log["accuracy/region_made"]) == (0.5, 0.5)


def test_wgan_logs_no_accuracy() -> None:
    _, log = one_step(settings(losses__adversarial="wgan"))
    assert not [key for key in log if key.startswith("accuracy")]
    assert "logit/frame_real" in log


def test_spectral_norm_changes_the_critics_and_nothing_else() -> None:
    plain_state, plain = one_step(settings())
    state, log = one_step(settings(critics__spectral_norm=True))
    assert log.keys() == plain.keys()
    for name in ("frame", "clip"):
        for key in (f"loss/{name}_critic", f"loss/{name}_r1", f"loss/{name}_generator"):
            assert log[key] != plain[key], key
    assert log["loss/l1"] == plain["loss/l1"]
    assert log["loss/flow"] == plain["loss/flow"]
    names = [n for n, _ in state.critics.named_parameters()]
    layers = [m for m in plain_state.critics.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert sum(n.endswith("weight.original") for n in names) == len(layers)
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in state.critics.parameters())


def test_an_adaptive_view_begins_with_nothing_and_ends_with_the_whole_view() -> None:
    view = {"colour": 1.0, "translation": 0.25, "cutout": 0.5}
    plain, whole = one_step(settings())[1], one_step(settings(losses__critic_view=view))[1]
    cfg = settings(losses__critic_view={**view, "adaptive_target": 0.6})
    state, log = one_step(cfg)
    assert state.view is not None
    assert log.pop("view/probability") == 0
    shares = [2 * log[f"accuracy/{name}_real"] - 1 for name in ("frame", "clip")]
    assert min(shares) <= log.pop("view/sign") <= max(shares)
    assert log == pytest.approx(plain, rel=1e-3, abs=1e-5)
    state = fresh(cfg)
    assert state.view is not None
    state.view.probability.fill_(1.0)
    log = {k: float(v) for k, v in take_step(state, clips(), cfg, World()).items()}
    assert log.pop("view/probability") == 1
    log.pop("view/sign")
    assert log == whole


def test_the_view_is_driven_by_every_update_of_the_critics() -> None:
    view = {"colour": 1.0, "adaptive_target": -0.999, "adaptive_clips": 80}
    cfg = settings(losses__critic_view=view, optim__critics_every_steps=2)
    state = fresh(cfg)
    seen = []
    for _ in range(8):
        take_step(state, clips(), cfg, World())
        assert state.view is not None
        seen.append(round(float(state.view.probability), 4))
    # Four updates of two clips of 80 each, in every second step.
    assert seen == [0] * 6 + [0.1] * 2


def test_growing_shows_the_losses_and_the_critics_coarse_clips() -> None:
    stages = [{"size": 8, "until_step": 10}, {"size": 16, "until_step": 20}]
    _, plain = one_step(settings())
    _, coarse = one_step(settings(data__growing=stages))
    _, grown_up = one_step(settings(data__growing=stages), 20)
    assert grown_up == one_step(settings(), 20)[1]
    for key in (
        "loss/l1",
        "loss/flow",
        "loss/frame_critic",
        "loss/clip_critic",
        "loss/frame_feature_matching",
    ):
        assert coarse[key] != plain[key], key
    # Already coarse clips, real and made, are what it shows.
    cfg = settings(data__growing=stages)
    batch, state = clips(), fresh(cfg)
    made, _ = made_by(state, batch, cfg)
    squares = [nn.functional.avg_pool2d(v.flatten(0, 1), 4) for v in (made, batch.video)]
    beta = cfg.losses.smooth
    gap = (squares[0] - squares[1]).abs()
    wanted = torch.where(gap < beta, gap.square() / (2 * beta), gap - beta / 2).mean()
    assert coarse["loss/l1"] == pytest.approx(float(wanted), rel=1e-3)
