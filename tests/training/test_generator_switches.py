"""Every switch of the generator's losses adds the loss that it says it adds, and changes no other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from single_steps import CPU, DOMAIN, FRAMES, clips, fresh, one_step, settings, slopes
from tiny_networks import random_batch
from torch import Tensor, nn

from temporal_gan.distributed import World
from temporal_gan.features import vgg19_features
from temporal_gan.losses.consistency import expression_consistency, pose_consistency
from temporal_gan.losses.reconstruction import l1_inside, temporal_difference
from temporal_gan.models.face import inside_square
from temporal_gan.models.reader import FACE_JOINTS
from temporal_gan.training.clip_losses import clip_terms
from temporal_gan.training.guides import Guides, load_guides, read_clips
from temporal_gan.training.step import take_step

GENERATOR_SWITCHES = {
    "l1_foreground": {"losses__l1_foreground_weight": 1.0},
    "l1_face": {"losses__l1_face_weight": 1.0},
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
    assert guides.face is not None
    square = inside_square(batch.keypoints, batch.confidence, guides.face, 32)
    wanted = l1_inside(made, batch.video, square, cfg.losses.smooth)
    torch.testing.assert_close(terms["l1_face"], wanted)
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
        losses__l1_face_weight=1.0,
    )  # fmt: skip
    batch = clips()
    terms = clip_terms(batch.video, batch, cfg, load_guides(cfg, DOMAIN, CPU))
    for name in ("l1", "l1_foreground", "l1_face", "temporal_difference", "perceptual", "coherence"):
        assert float(terms[name][1].abs().max()) < 1e-6, name


def test_unlabelled_expressions_are_not_asked_for(reader: Path) -> None:
    cfg = settings(losses__reader=str(reader), losses__expression_weight=1.0)
    batch = clips()
    guides = load_guides(cfg, DOMAIN, CPU)
    blind = replace(batch, expression_confidence=torch.zeros_like(batch.expression_confidence))
    assert float(clip_terms(batch.video, batch, cfg, guides)["expression"][1].min()) > 0
    assert clip_terms(batch.video, blind, cfg, guides)["expression"][1].tolist() == [0, 0]


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
