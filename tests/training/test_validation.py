"""Validation while training: figures by hand, who is asked, and which weights are kept as the best."""

import copy
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from small_runs import CLIP_GAN, changed, config, every_switch, puppet_store
from tiny_networks import random_batch, tiny_domain
from torch import Tensor

from temporal_gan.batch import ClipBatch, composite_on_white, to_display_range
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.inference.animator import load_animator
from temporal_gan.inference.weights_file import ANIMATOR_FILE, BEST_ANIMATOR_FILE
from temporal_gan.models import reader_file
from temporal_gan.training import guides, run, validation_set
from temporal_gan.training.guides import Guides, load_guides
from temporal_gan.training.state import TrainState
from temporal_gan.training.step import build_state
from temporal_gan.training.validation import Validation, score
from temporal_gan.training.validation_set import HeldClip, ValidationSet, flow_of, spread

CPU = torch.device("cpu")
DOMAIN = tiny_domain(channels=4)
VALUES = changed(
    CLIP_GAN,
    model__references=0,
    train__validate_every_steps=2,
    train__save_every_steps=6,
    train__preview_every_steps=9,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Untrained, but sure that it sees something."""
    return str(every_switch(tmp_path_factory.mktemp("reader"))["losses"]["reader"])


def held_clip(frames: int = 6, seed: int = 0) -> HeldClip:
    """A disc that moves to the right over an empty page, RGBA."""
    batch = random_batch(DOMAIN, 1, frames, seed=seed)
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    texture = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(seed))
    video = torch.full((1, frames, 4, 32, 32), -1.0)
    for t in range(frames):
        inside = (x - 10 - 2 * t) ** 2 + (y - 16) ** 2 < 64
        colour = texture.roll(2 * t, -1)
        video[0, t] = torch.where(inside, torch.cat([2 * colour - 1, torch.ones(1, 32, 32)]), video[0, t])
    batch = replace(batch, video=video)
    unit = (video + 1) / 2
    rgb = unit[:, :, :3] + 1 - unit[:, :, 3:]
    return HeldClip(batch, rgb, *flow_of(rgb))


def validation(clips: ValidationSet, reader: str, **changes: Any) -> tuple[Validation, ExperimentConfig]:
    cfg = config(VALUES, losses__reader=reader, **changes)
    return Validation(clips, cfg, load_guides(cfg, DOMAIN, CPU), CPU), cfg


def state_of(cfg: ExperimentConfig) -> TrainState:
    state = build_state(cfg, DOMAIN, 3, CPU)
    for parameter in (*state.generator.parameters(), *state.critics.parameters()):
        if not parameter.any():
            torch.nn.init.normal_(parameter, 0, 0.1)
    state.ema = copy.deepcopy(state.generator)
    return state


def lines(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]


# Figures


def test_the_real_clip_itself_is_perfect(reader: str) -> None:
    held = held_clip()
    figures = validation(ValidationSet((held, held_clip(seed=1)), ()), reader)[0].measure(
        [held.rgb, held_clip(seed=1).rgb]
    )
    assert figures.pop("foreground_psnr") == 100
    for name in ("foreground_ssim", "sharpness_ratio", "motion_ratio", "warping_error_ratio"):
        assert figures.pop(name) == pytest.approx(1, abs=1e-6), name
    assert figures.keys() == {"reader_pck@0.05", "expression_accuracy"}


def test_blurred_frozen_and_noisy_clips_are_told_apart(reader: str) -> None:
    held = held_clip()
    measure = validation(ValidationSet((held,), ()), reader)[0].measure
    frozen = measure([held.rgb[:, :1].expand_as(held.rgb)])
    assert frozen["motion_ratio"] < 0.1
    assert frozen["warping_error_ratio"] > 2
    blurred = torch.nn.functional.avg_pool2d(held.rgb[0], 5, 1, 2)[None]
    assert measure([blurred])["sharpness_ratio"] < 0.5
    noise = torch.rand(held.rgb.shape, generator=torch.Generator().manual_seed(0))
    noisy = measure([(held.rgb + 0.3 * noise).clamp(0, 1)])
    assert noisy["foreground_psnr"] < 20
    assert noisy["warping_error_ratio"] > 2


def test_what_a_single_frame_does_not_define_is_left_out(reader: str) -> None:
    held = held_clip(1)
    figures = validation(ValidationSet((held,), ()), reader)[0].measure([held.rgb])
    assert not {"motion_ratio", "warping_error_ratio"} & figures.keys()
    assert all(math.isfinite(v) for v in figures.values())


def test_joints_and_expressions_are_as_the_reader_reads_them(reader: str) -> None:
    """Labels set to what is read score 1; moved and changed ones do not."""
    held = held_clip()
    network = guides.load_loss_reader(reader)
    with torch.no_grad():
        read = network(held.rgb[0])
    best = read.expression[:, :3].argmax(-1)
    # The reader's eight classes; only these three are labelled here.
    others = read.expression[:, 3:8].amax(-1) > read.expression[:, :3].amax(-1)
    sure = torch.ones_like(held.batch.confidence)
    truth = replace(
        held.batch, keypoints=read.keypoints[None], confidence=sure,
        expression=torch.nn.functional.one_hot(best, 3).float()[None],
    )  # fmt: skip
    figures = validation(ValidationSet((replace(held, batch=truth),), ()), reader)[0].measure([held.rgb])
    assert figures["reader_pck@0.05"] == pytest.approx(float((read.confidence >= 0.25).float().mean()))
    assert figures["expression_accuracy"] == pytest.approx(1 - float(others.float().mean()))
    moved = replace(truth, keypoints=truth.keypoints.flip(2), expression=truth.expression.roll(1, -1))
    figures = validation(ValidationSet((replace(held, batch=moved),), ()), reader)[0].measure([held.rgb])
    assert figures["reader_pck@0.05"] < 0.5
    assert figures["expression_accuracy"] == 0
    unlabelled = replace(truth, expression_confidence=torch.zeros_like(truth.expression_confidence))
    clips = ValidationSet((replace(held, batch=unlabelled),), ())
    assert "expression_accuracy" not in validation(clips, reader)[0].measure([held.rgb])


def test_diversity_is_the_distance_of_four_clips_and_0_where_noise_is_ignored(reader: str) -> None:
    ask, cfg = validation(ValidationSet((held_clip(), held_clip(seed=1)), ()), reader)
    state = state_of(cfg)
    assert state.ema is not None
    assert 1e-4 < ask(state)["validation/mode_diversity"] < 1
    with torch.no_grad():
        state.ema.style[0].weight[:, :4] = 0  # type: ignore[index]
    assert ask(state)["validation/mode_diversity"] == 0


def test_overfitting_is_where_held_out_clips_lie_between_trained_and_made(reader: str) -> None:
    held, trained = (held_clip(3), held_clip(3, 1)), tuple(held_clip(3, s).batch for s in (2, 3))
    ask, cfg = validation(ValidationSet(held, trained), reader)
    state = state_of(cfg)
    made: list[Tensor] = []
    make = ask._make
    ask._make = lambda *a: made.append(make(*a)) or made[-1]  # type: ignore[method-assign, func-returns-value]
    figures = ask(state)
    frame = state.critics["frame"]
    assert state.ema is not None

    def logit(batch: ClipBatch, video: Tensor) -> float:
        with torch.no_grad():
            return float(frame(video, state.ema.tell(batch))[0].mean())  # type: ignore[union-attr, operator]

    known, new, fake = (
        sum(logit(b, v) for b, v in pairs) / 2
        for pairs in (
            [(b, b.video) for b in trained],
            [(h.batch, h.batch.video) for h in held],
            [(h.batch, v) for h, v in zip(held, made, strict=False)],
        )
    )
    if known > fake:
        assert figures["validation/frame_overfitting"] == pytest.approx(
            (known - new) / (known - fake), rel=1e-3
        )
    # One of the two orders is the defined one.
    assert ("validation/frame_overfitting" in figures) == (known > fake)
    state.critics["frame"].load_state_dict(
        {k: -v if "score" in k or "by_" in k else v for k, v in frame.state_dict().items()}
    )
    assert ("validation/frame_overfitting" in ask(state)) == (known < fake)
    same = validation(ValidationSet(held, tuple(h.batch for h in held)), reader)[0](state)
    assert all(abs(v) < 1e-6 for k, v in same.items() if k.endswith("_overfitting"))


@pytest.mark.parametrize("critics", ["frame", "clip", "region"])
def test_critics_judge_whole_pictures_of_a_generator_that_works_at_half_their_size(
    reader: str, critics: str
) -> None:
    """The poses they are told are drawn at the pictures' size, as in training, whatever the generator needs."""
    weights = {f"critics__{name}__weight": float(name == critics) for name in ("frame", "clip", "region")}
    batches = [random_batch(DOMAIN, 1, 3, size=64, seed=seed) for seed in (0, 1)]
    held = HeldClip(batches[0], composite_on_white(to_display_range(batches[0].video)), None, None)
    ask, cfg = validation(
        ValidationSet((held,), (batches[1],)), reader, model__size=64, model__network_size=32, **weights
    )
    state = state_of(cfg)
    assert list(state.critics) == [critics]
    said = []
    for _ in range(2):
        said.append(f"validation/{critics}_overfitting" in ask(state))
        # A critic that says the opposite: one of the two puts training clips above made ones.
        for name, parameter in state.critics.named_parameters():
            if name.split(".")[-2] in ("score", "by_face", "by_character"):
                parameter.data.neg_()
    assert sorted(said) == [False, True]


def test_measuring_changes_nothing(reader: str) -> None:
    clips = ValidationSet((held_clip(),), (held_clip(seed=1).batch,))
    ask, cfg = validation(clips, reader, critics__spectral_norm=True)
    state = state_of(cfg)
    before = copy.deepcopy(state.state_dict())
    torch.manual_seed(5)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    first = ask(state)
    assert torch.equal(torch.rand(3), drawn)
    assert ask(state) == first
    for part in ("generator", "critics", "ema"):
        for key, value in state.state_dict()[part].items():
            assert torch.equal(value, before[part][key]), key
    assert state.critics.training
    assert state.best_generator.training


# Whom it asks


def test_the_loss_reader_is_asked_and_never_the_judge(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    load = guides.load_reader
    monkeypatch.setattr(guides, "load_reader", lambda name: asked.append(str(name)) or load(name))  # type: ignore[func-returns-value]
    cfg = config(VALUES, train__steps=2)
    run.train(cfg, store.path, tmp_path / "run", quiet=True)
    assert asked == ["loss"]
    copied = tmp_path / "mine.safetensors"
    copied.write_bytes(reader_file.find_reader("metrics").read_bytes())
    with pytest.raises(UserError, match="copy of the reader that judges"):
        Validation(
            ValidationSet((held_clip(),), ()), config(VALUES, losses__reader=str(copied)),
            Guides(joints=((0,), (0,))), CPU,
        )  # fmt: skip


# Which clips


def test_held_out_clips_are_those_of_the_validation_split(store: Store, reader: str, tmp_path: Path) -> None:
    sets: list[ValidationSet] = []
    choose = run.choose_validation_set
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "choose_validation_set", lambda *a: sets.append(choose(*a)) or sets[-1])  # type: ignore[func-returns-value]
        values = changed(VALUES, losses__reader=reader, train__steps=2, model__references=2)
        run.train(config(values), store.path, tmp_path / "run", quiet=True)
        no_val = puppet_store(tmp_path / "two", clips=2)
        run.train(config(values), no_val.path, tmp_path / "run2", quiet=True)
    with_val, without = sets
    assert [h.batch.clip_id[0] for h in with_val.held] == [row.id for row in store.split("val")]
    train_ids = {row.id for row in store.split("train")}
    assert {b.clip_id[0] for b in with_val.trained} == train_ids
    assert {h.batch.clip_id[0] for h in without.held} == {row.id for row in no_val.split("train")}
    assert without.trained == ()
    assert "validation/frame_overfitting" not in lines(tmp_path / "run2")[-1]
    for held in (*with_val.held, *without.held):
        assert held.batch.reference_video is not None
        same = (held.batch.reference_video[:, :, None] == held.batch.video[:, None]).flatten(3).all(-1)
        assert not bool(same.any()), "a target is its own reference"


def test_many_clips_are_spread_evenly() -> None:
    assert spread(range(100), 4) == [0, 25, 50, 75]
    assert spread(range(3), 4) == [0, 1, 2]
    assert validation_set.CLIPS >= 4


# The best


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("foreground_psnr", [10.0, 20.0, 30.0]),
        ("foreground_ssim", [0.1, 0.5, 0.99]),
        ("expression_accuracy", [0.0, 0.5, 1.0]),
        ("reader_pck@0.05", [0.1, 0.5, 0.9]),
        ("motion_ratio", [0.0, 3.0, 0.5, 1.5, 1.0]),
        ("sharpness_ratio", [0.1, 0.5, 1.25, 0.9]),
    ],
)
def test_ratios_are_best_at_one_and_the_others_when_high(name: Any, order: list[float]) -> None:
    scores = [score(name, value) for value in order]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


@pytest.mark.slow
@pytest.mark.parametrize("best_by", ["foreground_psnr", "sharpness_ratio"])
def test_the_weights_of_the_best_figure_are_kept(
    store: Store, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, best_by: str
) -> None:
    """Figures are made to rise and to fall again by steps that go too far."""
    step, weights = run.take_step, {}

    def spy(state: TrainState, *rest: Any) -> dict[str, Tensor]:
        state.optimizer_generator.param_groups[0]["lr"] = 1e-3 if state.step < 4 else 0.5
        log = step(state, *rest)
        weights[state.step] = {k: v.half() for k, v in state.best_generator.state_dict().items()}
        return log

    monkeypatch.setattr(run, "take_step", spy)
    values = changed(
        VALUES, losses__reader=reader, train__best_by=best_by, train__steps=8, optim__ema_halflife_steps=0.1,
        model__references=2,
    )  # fmt: skip
    run.train(config(values), store.path, tmp_path, quiet=True)
    figures = {
        line["step"]: line[f"validation/{best_by}"] for line in lines(tmp_path) if line["step"] % 2 == 0
    }
    assert list(figures) == [2, 4, 6, 8]
    best = max(figures, key=lambda s: score(best_by, figures[s]))  # type: ignore[arg-type]
    assert best in (2, 4)
    kept = safetensors.torch.load_file(tmp_path / BEST_ANIMATOR_FILE)
    for name, value in weights[best].items():
        assert torch.equal(kept[name], value), name
    last = safetensors.torch.load_file(tmp_path / ANIMATOR_FILE)
    assert any(not torch.equal(last[name], kept[name]) for name in weights[best])
    assert load_animator(tmp_path / BEST_ANIMATOR_FILE).characters == store.info.characters


def test_a_best_figure_before_the_stop_is_not_beaten_by_a_worse_one_after(reader: str) -> None:
    ask, cfg = validation(ValidationSet((held_clip(),), ()), reader, train__best_by="foreground_psnr")
    state = state_of(cfg)
    state.step = 4
    value = ask(state)["validation/foreground_psnr"]
    assert state.best == (4, value)
    resumed = state_of(cfg)
    resumed.load_state_dict(state.state_dict() | {"best": (2, value + 1)})
    resumed.step = 6
    ask(resumed)
    assert resumed.best == (2, value + 1)
    resumed.best = (2, value - 1)
    ask(resumed)
    assert resumed.best == (6, value)


def test_a_figure_that_the_clips_do_not_give_is_refused_before_training(reader: str, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"train.best_by: motion_ratio cannot be measured .* they give: foreground_psnr"
    ):
        validation(ValidationSet((held_clip(1),), ()), reader, train__best_by="motion_ratio")


def test_without_an_interval_nothing_is_measured_or_kept(store: Store, tmp_path: Path) -> None:
    run.train(config(VALUES, train__validate_every_steps=0, train__steps=2), store.path, tmp_path, quiet=True)
    assert not any(key.startswith("validation/") for line in lines(tmp_path) for key in line)
    assert not (tmp_path / BEST_ANIMATOR_FILE).exists()
