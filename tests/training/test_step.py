"""The clip GAN's step, against gradients, averages and rates worked out by hand."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store
from torch import Tensor, nn

from temporal_gan import rng
from temporal_gan.batch import ClipBatch
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, clip_batches
from temporal_gan.distributed import World
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.conditioning import Condition, Domain, make_condition
from temporal_gan.puppet.dataset import exact_flow_source
from temporal_gan.run_config import OptimConfig
from temporal_gan.run_log import read_stats
from temporal_gan.training.run import train
from temporal_gan.training.state import TrainState, make_adam, update_ema
from temporal_gan.training.step import build_state, take_step
from temporal_gan.warping import warp_backward

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Domain, ClipBatch]:
    store = puppet_store(tmp_path_factory.mktemp("data") / "store")
    cache = open_cache(store, 32, "exact", exact_flow_source(store), quiet=True)
    references = settings().model.references  # type: ignore[union-attr]
    batch = next(clip_batches(ClipDataset(store, cache, "train", 3, 0, references), 0, 2))
    info = store.info
    return Domain(info.channels, info.skeleton, info.expressions, info.characters, info.fps), batch


def settings(**changes: Any) -> ExperimentConfig:
    """Gradients are compared, so they are not clipped."""
    return config(CLIP_GAN, optim__max_grad_norm=1e12, **changes)


def fresh(domain: Domain, cfg: ExperimentConfig, step: int = 0) -> TrainState:
    state = build_state(cfg, domain, cfg.data.frames, CPU)
    # The temporal module starts as the identity, whose gradient would hide half of it.
    for name, parameter in state.generator.named_parameters():
        if not parameter.any():
            draw = rng.normal(tuple(parameter.shape), 0, name)
            parameter.data.copy_(0.1 * draw)
    state.step = step
    return state


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {
        n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in module.named_parameters()
    }


def flat(tensors: dict[str, Tensor]) -> Tensor:
    return torch.cat([t.flatten() for t in tensors.values()])


def one_step(
    domain: Domain, batch: ClipBatch, cfg: ExperimentConfig, step: int = 0
) -> tuple[TrainState, dict[str, float]]:
    state = fresh(domain, cfg, step)
    log = take_step(state, batch, cfg, World())
    return state, {name: float(value) for name, value in log.items()}


def told(state: TrainState, batch: ClipBatch, cfg: ExperimentConfig) -> tuple[Condition, Tensor]:
    model = cfg.model
    condition = make_condition(batch, state.generator.domain, model.size, model.depth_groups)  # type: ignore[union-attr]
    return condition, rng.normal((cfg.data.batch, model.nz), cfg.train.seed, state.step, "noise")


def assert_equal_but_for_rounding(got: Tensor, expected: Tensor, what: str, tolerance: float = 1e-3) -> None:
    """float32 sums over some thousand terms in another order; relative to the largest entry."""
    assert float((got - expected).abs().max()) <= tolerance * float(expected.abs().max()), what


def assert_close(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert got.keys() == expected.keys()
    for name, value in got.items():
        assert_equal_but_for_rounding(value, expected[name], name, 1e-4)


def test_every_weight_scales_its_own_part_of_the_generators_gradient(data: tuple[Domain, ClipBatch]) -> None:
    domain, batch = data
    base = {
        # Of a similar size each, so that a difference is no rounding error.
        "losses__adversarial_weight": 100.0, "losses__l1_weight": 0.5, "losses__feature_matching_weight": 5.0,
        "losses__flow_weight": 1.0, "critics__frame__weight": 1.0, "critics__clip__weight": 1.0,
    }  # fmt: skip

    def gradient(**changes: float) -> Tensor:
        return flat(gradients(one_step(domain, batch, settings(**{**base, **changes}))[0].generator))

    once = gradient()
    parts = {}
    for key, weight in base.items():
        two, three = (gradient(**{key: n * weight}) for n in (2, 3))
        parts[key] = two - once
        assert parts[key].norm() > 1e-2 * once.norm(), key
        # A weight changes the generator's loss alone, and linearly.
        assert_equal_but_for_rounding(three - two, parts[key], key)
    named = list(parts.values())
    for i, a in enumerate(named):
        for b in named[i + 1 :]:
            assert torch.cosine_similarity(a, b, dim=0) < 0.999, "two weights do the same"
    total = sum(part for key, part in parts.items() if key.startswith("losses"))
    assert isinstance(total, Tensor)
    assert_equal_but_for_rounding(total, once, "sum")
    # A critic's weight is that of its verdict and of its features.
    by_critic = parts["critics__frame__weight"] + parts["critics__clip__weight"]
    by_loss = parts["losses__adversarial_weight"] + parts["losses__feature_matching_weight"]
    assert_equal_but_for_rounding(by_critic, by_loss, "critics")


@pytest.mark.parametrize("step", [0, 1])
def test_the_critics_gradient_is_the_sum_of_separately_computed_parts(
    data: tuple[Domain, ClipBatch], step: int
) -> None:
    """R1 shares a backward pass with the adversarial loss; here each part of each clip has its own."""
    domain, batch = data
    cfg = settings()
    state, log = one_step(domain, batch, cfg, step)
    hand = fresh(domain, cfg, step)
    condition, noise = told(hand, batch, cfg)
    made = hand.generator(condition, noise)[0].detach()
    hinge = torch.relu
    for name, critic in hand.critics.items():
        hinge(1 - critic(batch.video, condition)[0]).mean().backward()
        hinge(1 + critic(made, condition)[0]).mean().backward()
        penalties = []
        for b in range(len(batch)):
            one = _only(condition, b)
            real = batch.video[b : b + 1].clone().requires_grad_()
            (slope,) = torch.autograd.grad(critic(real, one)[0].mean(), real, create_graph=True)
            penalty = slope.square().sum()
            if step % 2 == 0:
                # gamma / 2, for as many steps as it is left out of, a mean over clips
                (1.0 / 2 * 2 * penalty / len(batch)).backward()
            penalties.append(penalty.detach())
        if step % 2 == 0:
            assert log[f"loss/{name}_r1"] == pytest.approx(float(torch.stack(penalties).mean()), rel=1e-4)
        else:
            assert f"loss/{name}_r1" not in log
    assert_close(gradients(state.critics), gradients(hand.critics))


def _only(condition: Condition, b: int) -> Condition:
    """One clip of a condition."""
    values = {}
    for name in condition.__dataclass_fields__:
        value = getattr(condition, name)
        if isinstance(value, dict):
            values[name] = {r: maps[b : b + 1] for r, maps in value.items()}
        else:
            values[name] = None if value is None else value[b : b + 1]
    return Condition(**values)


def by_hand(a: torch.Tensor, b: torch.Tensor, smooth: float) -> torch.Tensor:
    """|a - b|, a parabola of the same slope below ``smooth``."""
    d = (a - b).abs()
    return torch.where(d < smooth, d * d / (2 * smooth), d - smooth / 2)


def test_the_generators_gradient_is_that_of_its_loss_under_the_updated_frozen_critics(
    data: tuple[Domain, ClipBatch],
) -> None:
    domain, batch = data
    cfg = settings()
    state, log = one_step(domain, batch, cfg)
    hand = fresh(domain, cfg)
    condition, noise = told(hand, batch, cfg)
    made, _ = hand.generator(condition, noise)
    total = 10.0 * by_hand(made, batch.video, 2 / 255).mean()
    for name, critic in state.critics.items():  # as they are after their update
        logits, inside = critic(made, condition)
        _, real_inside = critic(batch.video, condition)
        matching = torch.stack(
            [by_hand(a, b.detach(), 1e-3).mean() for a, b in zip(inside, real_inside, strict=True)]
        ).mean()
        total = total + 0.5 * -logits.mean() + matching
        assert log[f"loss/{name}_generator"] == pytest.approx(-logits.mean().item(), rel=1e-4, abs=1e-6)
        assert log[f"loss/{name}_feature_matching"] == pytest.approx(matching.item(), rel=1e-4)
    assert batch.flow is not None
    assert batch.flow_valid is not None
    for b in range(len(batch)):
        moved = warp_backward(made[b, 1:], batch.flow[b])
        valid = batch.flow_valid[b].expand_as(moved)
        total = total + by_hand(moved, made[b, :-1], 2 / 255)[valid].mean() / len(batch)
    total.backward()
    assert_close(gradients(state.generator), gradients(hand.generator))
    assert log["grad/generator_norm"] == pytest.approx(
        float(flat(gradients(hand.generator)).norm()), rel=1e-4
    )


def test_each_side_is_updated_once_and_by_its_own_loss_alone(data: tuple[Domain, ClipBatch]) -> None:
    domain, batch = data
    cfg = settings()
    state, before = fresh(domain, cfg), fresh(domain, cfg)
    take_step(state, batch, cfg, World())
    for module, old, optimizer in (
        (state.generator, before.generator, state.optimizer_generator),
        (state.critics, before.critics, state.optimizer_critics),
    ):
        assert optimizer is not None
        assert {float(s["step"]) for s in optimizer.state.values()} == {1.0}
        again = copy.deepcopy(old)
        adam = torch.optim.Adam(again.parameters(), optimizer.param_groups[0]["lr"], (0.0, 0.99))
        for parameter, gradient in zip(again.parameters(), gradients(module).values(), strict=True):
            parameter.grad = gradient
        adam.step()
        for (name, got), expected in zip(module.named_parameters(), again.parameters(), strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-7, msg=name)
    assert not any(p.requires_grad for p in state.critics.parameters())


def test_gradients_are_clipped_by_their_norm(data: tuple[Domain, ClipBatch]) -> None:
    domain, batch = data
    free, log = one_step(domain, batch, settings())
    cfg = config(CLIP_GAN, optim__max_grad_norm=0.01)
    clipped, log_clipped = one_step(domain, batch, cfg)
    assert log["grad/critics_norm"] > 0.01
    assert log_clipped["grad/critics_norm"] == log["grad/critics_norm"]
    assert float(flat(gradients(clipped.critics)).norm()) == pytest.approx(0.01, rel=1e-3)
    assert float(flat(gradients(clipped.generator)).norm()) == pytest.approx(0.01, rel=1e-3)


# Averaged weights


def test_the_average_follows_its_formula(data: tuple[Domain, ClipBatch]) -> None:
    domain, batch = data
    cfg = settings(optim__ema_halflife_steps=0.75)
    state = fresh(domain, cfg)
    assert state.ema is not None
    state.ema.load_state_dict(state.generator.state_dict())
    expected = {n: p.detach().double() for n, p in state.generator.named_parameters()}
    for step in range(1, 6):
        take_step(state, batch, cfg, World())
        decay = 0.5 ** (1 / min(0.75, step / 4))
        for name, parameter in state.generator.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * parameter.detach().double()
    for name, average in state.ema.named_parameters():
        torch.testing.assert_close(average.double(), expected[name], rtol=1e-5, atol=1e-7, msg=name)
        assert not average.requires_grad
    assert state.best_generator is state.ema


def test_half_of_the_distance_is_gone_after_the_half_life() -> None:
    average, module = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(average.weight, 1.0)
    nn.init.constant_(module.weight, 0.0)
    for step in range(1000, 1020):
        update_ema(average, module, step, 20.0)
    assert average.weight.item() == pytest.approx(0.5, rel=1e-5)


# Rates


@pytest.mark.parametrize(
    ("batch", "tuned_at", "expected"),
    [(16, None, 3e-4), (16, 16, 3e-4), (64, 16, 6e-4), (4, 16, 1.5e-4), (32, 16, 4.242640687e-4)],
)
def test_the_rate_grows_with_the_square_root_of_the_batch(
    batch: int, tuned_at: int | None, expected: float
) -> None:
    adam = make_adam(nn.Linear(1, 1), 3e-4, 0.1, OptimConfig(lr_batch=tuned_at, beta2=0.9), batch)
    assert adam is not None
    assert adam.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-9)
    assert adam.param_groups[0]["betas"] == (0.1, 0.9)


def test_each_side_has_its_own_rate(data: tuple[Domain, ClipBatch]) -> None:
    state = fresh(data[0], settings(optim__lr_generator=1e-3, optim__lr_critic=2e-3, optim__lr_batch=8))
    assert state.optimizer_critics is not None
    assert state.optimizer_generator.param_groups[0]["lr"] == pytest.approx(0.5e-3)
    assert state.optimizer_critics.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_each_side_has_its_own_momentum(data: tuple[Domain, ClipBatch]) -> None:
    cfg = settings(optim__beta1=0.9, optim__beta1_critic=0.25, optim__beta2=0.75)
    state = fresh(data[0], cfg)
    assert state.optimizer_critics is not None
    assert state.optimizer_generator.param_groups[0]["betas"] == (0.9, 0.75)
    assert state.optimizer_critics.param_groups[0]["betas"] == (0.25, 0.75)
    take_step(state, data[1], cfg, World())
    # After its first step Adam's mean is that share of the gradient which beta1 leaves.
    for optimizer, left in ((state.optimizer_generator, 0.1), (state.optimizer_critics, 0.75)):
        for parameter, kept in optimizer.state.items():
            torch.testing.assert_close(kept["exp_avg"], left * parameter.grad, rtol=1e-4, atol=1e-9)


# Randomness


def test_a_step_depends_on_its_number_and_the_seed_and_on_nothing_else(
    data: tuple[Domain, ClipBatch],
) -> None:
    domain, batch = data
    first = one_step(domain, batch, settings(), step=3)[1]
    torch.manual_seed(99)
    torch.rand(7)
    assert one_step(domain, batch, settings(), step=3)[1] == first
    assert one_step(domain, batch, settings(), step=5)[1]["loss/l1"] != first["loss/l1"]
    # Another seed would also draw other weights, so only the noise's is changed.
    cfg = settings()
    state = fresh(domain, cfg, step=3)
    other = take_step(state, batch, settings(train__seed=1), World())
    assert float(other["loss/l1"]) != first["loss/l1"]


def test_weights_are_a_function_of_the_seed(data: tuple[Domain, ClipBatch]) -> None:
    def weights(seed: int) -> Tensor:
        state = build_state(settings(train__seed=seed), data[0], 3, CPU)
        return torch.cat([p.flatten() for m in (state.generator, state.critics) for p in m.parameters()])

    before = torch.get_rng_state()
    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))
    assert torch.equal(torch.get_rng_state(), before)


# Switches


@pytest.mark.parametrize(
    ("changes", "window", "critics"),
    [
        ({}, 3, ["frame", "clip"]),
        ({"critics__clip__weight": 0.0}, 3, ["frame"]),
        ({"critics__frame__weight": 0.0}, 3, ["clip"]),
        ({"critics__clip__frames": 4}, 3, ["frame"]),
        ({}, 1, ["frame"]),
        ({"losses": {"adversarial_weight": 0.0, "l1_weight": 1.0}}, 3, []),
    ],
)
def test_only_critics_that_can_say_something_are_built(
    data: tuple[Domain, ClipBatch], changes: dict[str, Any], window: int, critics: list[str]
) -> None:
    state = build_state(settings(**changes), data[0], window, CPU)
    assert list(state.critics) == critics
    assert (state.optimizer_critics is None) == (not critics)


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"losses__l1_weight": 0.0}, ("loss/l1",)),
        ({"losses__flow_weight": 0.0}, ("loss/flow",)),
        ({"losses__feature_matching_weight": 0.0}, ("loss/frame_feature_matching", "loss/clip_feature_matching")),
        ({"losses__r1_gamma": 0.0}, ("loss/frame_r1", "loss/clip_r1")),
        (
            {"critics__clip__weight": 0.0},
            ("loss/clip_critic", "loss/clip_generator", "loss/clip_r1", "loss/clip_feature_matching",
             "logit/clip_real", "logit/clip_made", "accuracy/clip_real", "accuracy/clip_made"),
        ),
    ],
)  # fmt: skip
def test_a_loss_switched_off_is_not_computed(
    data: tuple[Domain, ClipBatch], changes: dict[str, Any], gone: tuple[str, ...]
) -> None:
    whole = one_step(*data, settings())[1]
    assert whole.keys() - one_step(*data, settings(**changes))[1].keys() == set(gone)


def test_clips_without_flow_are_trained_without_the_flow_loss(data: tuple[Domain, ClipBatch]) -> None:
    domain, batch = data
    log = one_step(domain, replace(batch, flow=None, flow_valid=None), settings())[1]
    assert "loss/flow" not in log
    assert "loss/l1" in log


@pytest.mark.parametrize("kind", ["bce", "lsgan", "hinge"])
def test_every_adversarial_loss_takes_a_step(data: tuple[Domain, ClipBatch], kind: str) -> None:
    log = one_step(*data, settings(losses__adversarial=kind))[1]
    real, made = log["logit/frame_real"], log["logit/frame_made"]
    at_zero: dict[str, Callable[[], float]] = {
        "bce": lambda: 2 * 0.6931 + (made - real) / 2,
        "lsgan": lambda: 0.5 - real,
        "hinge": lambda: 2 - real + made,
    }
    # A fresh critic's logits are near 0, where each kind of loss has its own value.
    assert log["loss/frame_critic"] == pytest.approx(at_zero[kind](), abs=0.02)


def test_bfloat16_leaves_the_gradient_penalty_in_float32(data: tuple[Domain, ClipBatch]) -> None:
    full, half = (one_step(*data, settings(train__precision=p))[1] for p in ("float32", "bfloat16"))
    assert half["loss/frame_r1"] == full["loss/frame_r1"]
    assert half["loss/clip_r1"] == full["loss/clip_r1"]
    assert half["loss/l1"] != full["loss/l1"]
    assert half["loss/l1"] == pytest.approx(full["loss/l1"], rel=0.02)


def test_a_short_training_comes_closer_to_the_clips(tmp_path: Path) -> None:
    """Overfitting one clip: whatever is wrong with a gradient's sign or a target shows here."""
    store = puppet_store(tmp_path / "store", clips=1, frames=4)
    cfg = config(
        CLIP_GAN, train__steps=25, data__augment={}, optim__lr_generator=5e-3, train__preview_every_steps=100,
        train__save_every_steps=100, model__references=0,
    )  # fmt: skip
    train(cfg, store.path, tmp_path / "run", quiet=True)
    lines = [line["loss/l1"] for line in read_stats(tmp_path / "run" / "stats.jsonl")]
    assert sum(lines[-5:]) < 0.6 * sum(lines[:5])


def test_region_critic_and_expression_head_take_part(data: tuple[Domain, ClipBatch]) -> None:
    """Each has its losses on both sides, its weight scales them, and at weight 0 it is not there."""
    domain, batch = data
    cfg = settings(critics__region__weight=1.0, critics__frame__expression_weight=0.5)
    state, log = one_step(domain, batch, cfg)
    wanted = {
        "region_critic",
        "region_generator",
        "frame_expression",
        "frame_expression_real",
        "frame_expression_made",
    }
    assert {f"loss/{name}" for name in wanted} <= set(log)
    assert all(torch.tensor(list(log.values())).isfinite())
    head = state.critics["frame"].expression
    assert isinstance(head, nn.Linear)
    assert bool(head.weight.grad.any())  # type: ignore[union-attr]
    assert any(bool(p.grad.any()) for p in state.critics["region"].parameters() if p.grad is not None)
    _, plain = one_step(domain, batch, settings())
    assert not {f"loss/{name}" for name in wanted} & set(plain)
    assert log["grad/generator_norm"] != plain["grad/generator_norm"]
