"""Every switch of the clip GAN changes the loss that it says it changes, and no other."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store
from tiny_networks import CHAIN14, random_batch, tiny_domain
from torch import Tensor, nn

from temporal_gan import rng
from temporal_gan.batch import ClipBatch
from temporal_gan.distributed import World
from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.features import vgg19_features
from temporal_gan.losses.consistency import expression_consistency, pose_consistency
from temporal_gan.losses.reconstruction import l1_inside, temporal_difference
from temporal_gan.models import reader_file
from temporal_gan.models.conditioning import Condition, make_condition
from temporal_gan.models.reader import FACE_JOINTS, Reader, ReaderConfig
from temporal_gan.models.reader_file import save_reader
from temporal_gan.training import run
from temporal_gan.training.clip_losses import clip_terms
from temporal_gan.training.guides import Guides, load_guides, read_clips
from temporal_gan.training.state import TrainState, update
from temporal_gan.training.step import build_state, take_step
from temporal_gan.weights import FOLDER_VARIABLE, VGG19

CPU = torch.device("cpu")
FRAMES = 5
DOMAIN = tiny_domain(channels=4)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained, but sure that it sees something."""
    torch.manual_seed(0)
    tiny = Reader(ReaderConfig(width=8, features=8, identity=8))
    nn.init.constant_(tiny.seen.bias, 3.0)
    nn.init.normal_(tiny.heat.weight, 0, 3.0)
    path = tmp_path_factory.mktemp("readers") / "tiny.safetensors"
    save_reader(path, tiny, {})
    return path


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the published names, of the layers that are used."""
    draw = torch.Generator().manual_seed(0)
    layers, channels, place = {}, 3, 0
    for block in ([64] * 2, [128] * 2, [256] * 4, [512] * 4, [512]):
        for width in block:
            weight = torch.randn(width, channels, 3, 3, generator=draw) * (2 / (9 * channels)) ** 0.5
            layers |= {f"features.{place}.weight": weight, f"features.{place}.bias": torch.zeros(width)}
            channels, place = width, place + 2
        place += 1
    path = tmp_path_factory.mktemp("weights") / "vgg19.pth"
    torch.save(layers, path)
    return path


def settings(**changes: Any) -> ExperimentConfig:
    changes = {"model__references": 0, "data__frames": FRAMES, "optim__max_grad_norm": 1e12, **changes}
    return config(CLIP_GAN, **changes)


def clips(frames: int = FRAMES) -> ClipBatch:
    batch = random_batch(DOMAIN, 2, frames)
    # Half of it is empty page, premultiplied.
    video = batch.video.clone()
    video[..., :16] = -1
    flow = rng.uniform((2, frames - 1, 2, 32, 32), 0, "flow") if frames > 1 else None
    valid = None if flow is None else torch.ones(2, frames - 1, 1, 32, 32, dtype=torch.bool)
    return replace(batch, video=video, flow=flow, flow_valid=valid)


def fresh(cfg: ExperimentConfig, step: int = 0) -> TrainState:
    state = build_state(cfg, DOMAIN, FRAMES, CPU)
    for name, parameter in state.generator.named_parameters():
        if not parameter.any():
            parameter.data.copy_(0.1 * rng.normal(tuple(parameter.shape), 0, name))
    state.step = step
    return state


def one_step(cfg: ExperimentConfig, step: int = 0, batch: ClipBatch | None = None) -> tuple[TrainState, dict]:
    state = fresh(cfg, step)
    log = take_step(state, batch or clips(), cfg, World(), load_guides(cfg, DOMAIN, CPU))
    return state, {name: float(value) for name, value in log.items()}


def slopes(module: nn.Module) -> Tensor:
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in module.parameters()]
    return torch.cat([g.flatten() for g in grads])


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


# Losses of the generator


GENERATOR_SWITCHES = {
    "l1_foreground": {"losses__l1_foreground_weight": 1.0},
    "temporal_difference": {"losses__temporal_difference_weight": 1.0},
    "pose": {"losses__pose_weight": 1.0},
    "expression": {"losses__expression_weight": 1.0},
    "coherence": {"losses__coherence_weight": 1.0},
}


@pytest.mark.parametrize("name", [*GENERATOR_SWITCHES, "reader", "vgg"])
def test_a_loss_of_the_generator_adds_its_own_slope_and_leaves_all_others(
    name: str, reader: Path, vgg: Path
) -> None:
    more = GENERATOR_SWITCHES.get(name, {"losses__perceptual": name, "losses__perceptual_weight": 1.0})
    if name == "vgg":
        more = {**more, "losses__perceptual_file": str(vgg)}
    base = {"losses__reader": str(reader), "losses__adversarial_weight": 0.5}
    off, log_off = one_step(settings(**base))
    once, log_once = one_step(settings(**base, **more))
    key = f"loss/{name if name in GENERATOR_SWITCHES else 'perceptual'}"
    assert log_once.keys() - log_off.keys() == {key}
    assert log_once[key] > 0
    for other, value in log_off.items():
        if other != "grad/generator_norm":
            assert log_once[other] == value, other
    assert torch.equal(slopes(once.critics), slopes(off.critics))
    added = slopes(once.generator) - slopes(off.generator)
    assert float(added.norm()) > 0
    weight_key = next(k for k in more if k.endswith("_weight"))
    thrice, _ = one_step(settings(**base, **{**more, weight_key: 3.0}))
    difference = slopes(thrice.generator) - slopes(off.generator) - 3 * added
    # Rounding of the sums that are subtracted.
    assert float(difference.abs().max()) < 1e-4 * float(slopes(off.generator).abs().max())


def test_terms_are_the_pure_losses_of_what_is_made_and_read(reader: Path) -> None:
    every = {k: v for more in GENERATOR_SWITCHES.values() for k, v in more.items()}
    cfg = settings(losses__reader=str(reader), **every)
    guides, batch = load_guides(cfg, DOMAIN, CPU), clips()
    made = 0.9 * clips().video.roll(1, 0)
    terms = {name: loss for name, (_, loss) in clip_terms(made, batch, cfg, guides).items()}
    assert all(loss.shape == (2,) for loss in terms.values())

    def white(video: Tensor) -> Tensor:
        unit = (video + 1) / 2
        return (unit[:, :, :3] + 1 - unit[:, :, 3:]).clamp(0, 1)

    drawn = torch.zeros_like(batch.video[:, :, :1], dtype=torch.bool)
    drawn[..., 16:] = True
    # 0.9 of an empty page is not empty, but the border's colour; so the mask is the drawn half.
    wanted = l1_inside(made, batch.video, drawn, cfg.losses.smooth)
    torch.testing.assert_close(terms["l1_foreground"], wanted, rtol=0.02, atol=0)
    torch.testing.assert_close(
        terms["temporal_difference"], temporal_difference(made, batch.video, cfg.losses.smooth)
    )
    assert guides.reader is not None
    real = read_clips(guides.reader, white(batch.video), True)
    seen = read_clips(guides.reader, white(made), True, real)
    visible = batch.confidence >= 0.75
    assert 0 < int(visible.sum()) < visible.numel()
    torch.testing.assert_close(terms["pose"], pose_consistency(seen.heat, batch.keypoints, visible))
    # The face is read where it is commanded. Neutral, happy, sad of the reader's eight; no control is labelled.
    places = batch.keypoints.flatten(0, 1), batch.confidence.flatten(0, 1)
    read = guides.reader.read_expression(white(made).flatten(0, 1), *places)
    classes, controls = (x.unflatten(0, (2, FRAMES)) for x in read)
    faces = batch.confidence[:, :, FACE_JOINTS].amin(-1) >= 0.75
    assert bool(faces.any())
    expression = torch.zeros(2, FRAMES, 14)
    expression[..., :3] = batch.expression
    known = torch.zeros(2, FRAMES, 14, dtype=torch.bool)
    known[..., :3] = True
    wanted = expression_consistency(classes, controls, expression, known, faces)
    torch.testing.assert_close(terms["expression"], wanted)


def test_a_made_clip_that_is_the_real_one_costs_nothing_where_it_is_compared(reader: Path) -> None:
    cfg = settings(
        losses__reader=str(reader), losses__perceptual="reader", losses__perceptual_weight=1.0,
        losses__coherence_weight=1.0, losses__l1_foreground_weight=1.0, losses__temporal_difference_weight=1.0,
    )  # fmt: skip
    batch = clips()
    terms = clip_terms(batch.video, batch, cfg, load_guides(cfg, DOMAIN, CPU))
    for name in ("l1", "l1_foreground", "temporal_difference", "perceptual", "coherence"):
        assert float(terms[name][1].abs().max()) < 1e-6, name


def test_unlabelled_expressions_are_not_asked_for(reader: Path) -> None:
    cfg = settings(losses__reader=str(reader), losses__expression_weight=1.0)
    batch = clips()
    guides = load_guides(cfg, DOMAIN, CPU)
    blind = replace(batch, expression_confidence=torch.zeros_like(batch.expression_confidence))
    assert float(clip_terms(batch.video, batch, cfg, guides)["expression"][1].min()) > 0
    assert clip_terms(batch.video, blind, cfg, guides)["expression"][1].tolist() == [0, 0]


def test_readers_serve_a_float64_run(reader: Path) -> None:
    cfg = settings(
        losses__reader=str(reader), losses__pose_weight=1.0, losses__expression_weight=1.0,
        losses__coherence_weight=1.0, losses__perceptual="reader", losses__perceptual_weight=1.0,
        train__precision="float64",
    )  # fmt: skip
    batch = clips().to(CPU, torch.float64)
    state, log = one_step(cfg, batch=batch)
    assert slopes(state.generator).dtype == torch.float64
    assert {"loss/pose", "loss/expression", "loss/coherence", "loss/perceptual"} <= log.keys()


# Losses of the critics


@pytest.mark.parametrize("kind", ["wgan", "hinge"])
def test_the_gradient_penalty_is_taken_between_real_and_made_for_every_critic(kind: str) -> None:
    cfg = settings(losses__adversarial=kind, losses__r1_gamma=0.0, losses__gp_weight=10.0)
    batch = clips()
    state, log = one_step(cfg, 3, batch)
    plain, log_plain = one_step(settings(losses__adversarial="hinge", losses__r1_gamma=0.0), 3, batch)
    hand = fresh(cfg, 3)
    made, condition = _made(hand, batch, cfg)
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


def _made(state: TrainState, batch: ClipBatch, cfg: ExperimentConfig) -> tuple[Tensor, Condition]:
    """What this step makes, and of what."""
    model = cfg.model
    condition = make_condition(batch, DOMAIN, model.size, model.depth_groups)  # type: ignore[union-attr]
    noise = rng.normal((2, model.nz), cfg.train.seed, state.step, "noise")
    return state.generator(condition, noise)[0].detach(), condition


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
    made, condition = _made(hand, batch, cfg)
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
    made, _ = _made(state, batch, cfg)
    squares = [nn.functional.avg_pool2d(v.flatten(0, 1), 4) for v in (made, batch.video)]
    beta = cfg.losses.smooth
    gap = (squares[0] - squares[1]).abs()
    wanted = torch.where(gap < beta, gap.square() / (2 * beta), gap - beta / 2).mean()
    assert coarse["loss/l1"] == pytest.approx(float(wanted), rel=1e-3)


# How references enter


@pytest.mark.parametrize("more", [{"model__carry": "encode"}, {"model__warp_offset": 0.1}], ids=str)
def test_how_references_enter_changes_what_is_made_and_not_what_is_real(more: dict[str, Any]) -> None:
    batch = replace(
        random_batch(DOMAIN, 2, FRAMES, references=2), flow=clips().flow, flow_valid=clips().flow_valid
    )
    cfg, changed = settings(model__references=2), settings(model__references=2, **more)
    off, state = fresh(cfg), fresh(changed)
    # The same weights, as far as both have them.
    state.critics.load_state_dict(off.critics.state_dict())
    for here, there in zip(state.generator.parameters(), off.generator.parameters(), strict=True):
        rows = min(len(here), len(there))
        here.data[:rows] = there.data[:rows]
    plain, log = take_step(off, batch, cfg, World()), take_step(state, batch, changed, World())
    assert log.keys() == plain.keys()
    for key in ("loss/l1", "loss/flow", "logit/frame_made", "logit/clip_made"):
        assert log[key] != plain[key], key
    for key in ("logit/frame_real", "logit/clip_real", "loss/frame_r1", "loss/clip_r1"):
        assert log[key] == plain[key], key
    still = [n for n, p in state.generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


# How often, how long, how fast


def test_the_generator_learns_in_every_third_step_and_the_critics_in_all() -> None:
    cfg = settings(optim__generator_every_steps=3)
    state = fresh(cfg)
    for step in range(6):
        before = weights(state.generator), weights(state.critics)
        log = take_step(state, clips(), cfg, World())
        assert torch.equal(weights(state.generator), before[0]) == (step % 3 != 2)
        assert not torch.equal(weights(state.critics), before[1])
        assert ("loss/l1" in log) == (step % 3 == 2)
        assert "loss/frame_critic" in log
    assert {float(s["step"]) for s in state.optimizer_generator.state.values()} == {2.0}


def test_the_critics_learn_in_every_second_step_and_the_generator_in_all() -> None:
    cfg = settings(optim__critics_every_steps=2)
    state = fresh(cfg)
    for step in range(4):
        before = weights(state.generator), weights(state.critics)
        log = take_step(state, clips(), cfg, World())
        assert torch.equal(weights(state.critics), before[1]) == (step % 2 == 1)
        assert not torch.equal(weights(state.generator), before[0])
        assert ("loss/frame_critic" in log) == (step % 2 == 0)
        assert "loss/frame_generator" in log


def test_single_frames_are_judged_by_whoever_can_and_the_others_rest(reader: Path) -> None:
    cfg = settings(
        losses__reader=str(reader), losses__coherence_weight=1.0, losses__temporal_difference_weight=1.0,
        losses__pose_weight=1.0,
    )  # fmt: skip
    state, guides = fresh(cfg), load_guides(cfg, DOMAIN, CPU)
    take_step(state, clips(), cfg, World(), guides)
    before = copy.deepcopy(state.critics)
    log = take_step(state, clips(1), cfg, World(), guides)
    assert not [k for k in log if "clip" in k]
    assert not {"loss/flow", "loss/temporal_difference", "loss/coherence"} & log.keys()
    assert {"loss/l1", "loss/pose", "loss/frame_critic", "loss/frame_generator"} <= log.keys()
    assert torch.equal(weights(state.critics["clip"]), weights(before["clip"]))
    assert not torch.equal(weights(state.critics["frame"]), weights(before["frame"]))


def test_windows_grow_with_the_curriculum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = puppet_store(tmp_path / "store")
    seen: list[tuple[int, int | None]] = []
    step = run.take_step

    def spy(state: TrainState, batch: ClipBatch, *rest: Any) -> dict[str, Tensor]:
        seen.append((batch.video.shape[1], None if batch.flow is None else batch.flow.shape[1]))
        return step(state, batch, *rest)

    monkeypatch.setattr(run, "take_step", spy)
    stages = [{"frames": 1, "until_step": 2}, {"frames": 2, "until_step": 3}]
    cfg = config(
        CLIP_GAN, data__curriculum=stages, data__frames=4, train__steps=5, train__preview_every_steps=9
    )
    run.train(cfg, store.path, tmp_path / "run", quiet=True)
    assert seen == [(1, None), (1, None), (2, 1), (4, 3), (4, 3)]


def test_a_fused_adam_takes_the_same_step_but_for_rounding() -> None:
    plain, fused = one_step(settings())[0], one_step(settings(optim__fused=True))[0]
    assert fused.optimizer_generator.defaults["fused"]
    assert fused.optimizer_critics is not None
    assert fused.optimizer_critics.defaults["fused"]
    torch.testing.assert_close(weights(fused.generator), weights(plain.generator), rtol=0, atol=1e-6)
    assert torch.equal(slopes(fused.critics), slopes(plain.critics))


def test_what_the_loss_does_not_reach_is_neither_averaged_nor_moved() -> None:
    """Else a critic that rests would gather Adam steps on two processes, and none on one."""
    module = nn.ModuleDict({"used": nn.Linear(2, 1), "resting": nn.Linear(2, 1)})
    adam, averaged = torch.optim.Adam(module.parameters(), 0.1), []
    before = weights(module["resting"])
    update(adam, module, module["used"](torch.ones(1, 2)).sum(), settings().optim, averaged.extend)
    assert {id(p) for p in averaged} == {id(p) for p in module["used"].parameters()}
    assert torch.equal(weights(module["resting"]), before)


# Networks that losses ask


def test_nothing_is_loaded_where_nothing_is_asked() -> None:
    assert load_guides(settings(losses__reader="no such file"), DOMAIN, CPU).reader is None


def test_the_judge_is_refused_under_whatever_name(
    reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_file, "__file__", str(tmp_path / "models" / "reader_file.py"))
    judge = tmp_path / "readers" / "metrics.safetensors"
    judge.parent.mkdir()
    judge.write_bytes(reader.read_bytes())
    with pytest.raises(UserError, match="is a copy of the reader that judges"):
        load_guides(settings(losses__reader=str(reader), losses__pose_weight=1.0), DOMAIN, CPU)
    with pytest.raises(UserError, match="'metrics' is the reader that judges"):
        settings(losses__reader=str(judge))


def test_what_the_data_has_not_cannot_be_asked_for(reader: Path) -> None:
    chain = tiny_domain(skeleton=CHAIN14)
    with pytest.raises(UserError, match=r"losses.pose_weight: the skeleton chain14 has no joint"):
        load_guides(settings(losses__reader=str(reader), losses__pose_weight=1.0), chain, CPU)
    mute = tiny_domain(expressions=("smirk",))
    with pytest.raises(UserError, match=r"losses.expression_weight: none of the expressions .*\(smirk\)"):
        load_guides(settings(losses__reader=str(reader), losses__expression_weight=1.0), mute, CPU)


def test_a_missing_weights_file_is_named_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    cfg = settings(losses__perceptual="vgg", losses__perceptual_weight=1.0)
    with pytest.raises(CheckpointError) as caught:
        load_guides(cfg, DOMAIN, CPU)
    for words in ("perceptual loss", VGG19.source, str(tmp_path / VGG19.file)):
        assert words in str(caught.value)
    cfg = settings(losses__perceptual="lpips", losses__perceptual_weight=1.0)
    with pytest.raises(CheckpointError, match=r"LPIPS as a loss.*vgg16-397923af"):
        load_guides(cfg, DOMAIN, CPU)


def test_vgg_sees_pictures_on_white(vgg: Path) -> None:
    cfg = settings(losses__perceptual="vgg", losses__perceptual_weight=1.0, losses__perceptual_file=str(vgg))
    guides, batch = load_guides(cfg, DOMAIN, CPU), clips(1)
    assert isinstance(guides.perceptual, nn.Sequential)
    made = torch.full_like(batch.video, -1.0)  # an empty page
    loss = clip_terms(made, batch, cfg, guides)["perceptual"][1]
    unit = (batch.video[:, 0] + 1) / 2
    real = vgg19_features(guides.perceptual, (unit[:, :3] + 1 - unit[:, 3:]).clamp(0, 1))
    page = vgg19_features(guides.perceptual, torch.ones(2, 3, 32, 32))
    parts = [
        w * (a - b).abs().flatten(1).mean(1)
        for w, a, b in zip((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), page, real, strict=True)
    ]
    torch.testing.assert_close(loss, torch.stack(parts).sum(0))
    assert Guides().perceptual is None
