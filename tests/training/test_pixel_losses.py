"""Losses of pixels in closed form: where they look, and how they treat small differences."""

from dataclasses import replace

import pytest
import torch
from single_steps import CPU, DOMAIN, clips, one_step, settings, slopes
from torch import Tensor

from temporal_gan.batch import ClipBatch
from temporal_gan.models.face import REACH
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.training.clip_losses import clip_terms
from temporal_gan.training.guides import load_guides

NECK, NOSE = CANONICAL25.joints.index("neck"), CANONICAL25.joints.index("nose")
FACE = {"losses__l1_weight": 1.0, "losses__l1_face_weight": 2.0}


def faces() -> ClipBatch:
    """Noses at a third and at two thirds of the picture's width, each with the neck an eighth below."""
    batch = clips(3)
    keypoints = batch.keypoints.clone()
    keypoints[0, :, NOSE], keypoints[1, :, NOSE] = torch.tensor([0.3, 0.4]), torch.tensor([0.7, 0.4])
    keypoints[:, :, NECK] = keypoints[:, :, NOSE] + torch.tensor([0.0, 0.125])
    return replace(batch, keypoints=keypoints)


def face_loss(made: Tensor, batch: ClipBatch, **changes: float) -> list[float]:
    cfg = settings(**{**FACE, "losses__smooth": 0.0, **changes})
    weight, loss = clip_terms(made, batch, cfg, load_guides(cfg, DOMAIN, CPU))["l1_face"]
    assert weight == 2.0
    return loss.tolist()


def pixels_of(nose: tuple[float, float]) -> Tensor:
    """bool [32, 32], pixel by pixel: the centre lies within the square's half side of the nose, along both axes."""
    half = REACH * 0.125
    inside = torch.zeros(32, 32, dtype=torch.bool)
    for row in range(32):
        for column in range(32):
            x, y = (column + 0.5) / 32, (row + 0.5) / 32
            inside[row, column] = abs(x - nose[0]) <= half and abs(y - nose[1]) <= half
    return inside


def test_the_faces_loss_is_the_mean_inside_the_square_and_nothing_outside() -> None:
    batch = faces()
    first, second = pixels_of((0.3, 0.4)), pixels_of((0.7, 0.4))
    assert 80 < int(first.sum()) < 130
    made = batch.video.clone()
    made[0] += torch.where(first, 0.25, 9.0)
    # Half of the frames, a third of the square and one channel of four.
    wrong = second & (torch.arange(32) < 0.7 * 32)
    made[1, :2, 0][wrong.expand(2, 32, 32)] += 0.5
    share = float(wrong.sum() / second.sum()) * 2 / 3 / 4
    assert face_loss(made, batch) == pytest.approx([0.25, 0.5 * share], rel=1e-4)


def test_a_face_that_is_not_there_asks_for_nothing() -> None:
    batch = faces()
    confidence = batch.confidence.clone()
    confidence[0, :, NECK] = 0
    confidence[1, 0, NOSE] = 0
    batch = replace(batch, confidence=confidence)
    made = batch.video + 0.25
    # In the second clip one frame of three has no face: it neither adds to the sum nor counts.
    made[1, 0] += 5
    assert face_loss(made, batch) == pytest.approx([0.0, 0.25], abs=1e-6)


def test_the_faces_loss_moves_the_generator_by_the_face_alone() -> None:
    """A face at the border of the picture is its visible part."""
    batch = faces()
    keypoints = batch.keypoints.clone()
    keypoints[..., 0] -= 0.3
    batch = replace(batch, keypoints=keypoints)
    made = (batch.video + 0.5).requires_grad_()
    cfg = settings(**FACE, losses__smooth=0.0)
    clip_terms(made, batch, cfg, load_guides(cfg, DOMAIN, CPU))["l1_face"][1].sum().backward()
    assert made.grad is not None
    for clip, x in ((0, 0.0), (1, 0.4)):
        inside = pixels_of((x, 0.4))
        each = 1 / (3 * 4 * int(inside.sum()))
        torch.testing.assert_close(made.grad[clip], (inside * each).expand(3, 4, 32, 32), rtol=1e-4, atol=0)


def test_the_foreground_is_where_either_clip_has_something() -> None:
    """A red square on an empty page, and a black one made elsewhere: neither is forgiven, the page weighs 0."""
    batch = clips(3)
    real, made = torch.full((2, 2, 3, 4, 32, 32), -1.0)
    real[..., (0, 3), 8:16, 8:16] = torch.ones(2, 1, 1)
    made[..., 3, 16:24, 16:24] = 1.0
    cfg = settings(losses__l1_foreground_weight=3.0, losses__smooth=0.0)
    weight, loss = clip_terms(made, replace(batch, video=real), cfg, load_guides(cfg, DOMAIN, CPU))[
        "l1_foreground"
    ]
    assert weight == 3.0
    # Two of four channels off by 2 in the one square, one of four in the other, over both squares.
    assert loss.tolist() == pytest.approx([(1.0 + 0.5) / 2] * 2)


SMOOTHED = {
    "losses__l1_weight": 1.0, "losses__l1_foreground_weight": 1.0, "losses__l1_face_weight": 1.0,
    "losses__flow_weight": 1.0, "losses__temporal_difference_weight": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("smooth", [0.0, 0.05, 0.15, 1.0])
def test_every_difference_of_pixels_is_a_parabola_below_smooth_and_straight_above(smooth: float) -> None:
    """A still clip, made 0.1 too bright and too dark in turn: off by 0.1, and by 0.2 from frame to frame."""
    batch = faces()
    still = 0.5 * batch.video[:, :1].expand_as(batch.video)
    batch = replace(batch, video=still, flow=torch.zeros_like(batch.flow))  # type: ignore[arg-type]
    made = still + 0.1 * torch.tensor([1.0, -1.0, 1.0]).view(1, 3, 1, 1, 1)
    cfg = settings(**SMOOTHED, losses__smooth=smooth)
    terms = clip_terms(made, batch, cfg, load_guides(cfg, DOMAIN, CPU))
    for name, d in {
        "l1": 0.1, "l1_foreground": 0.1, "l1_face": 0.1, "flow": 0.2, "temporal_difference": 0.2,
    }.items():  # fmt: skip
        wanted = d * d / (2 * smooth) if d < smooth else d - smooth / 2
        assert terms[name][1].tolist() == pytest.approx([wanted, wanted], rel=1e-4), name


def test_smooth_changes_the_pixels_losses_and_not_what_the_critics_say() -> None:
    (sharp_state, sharp), (state, log) = (one_step(settings(losses__smooth=s)) for s in (0.0, 1.0))
    assert {key for key in log if log[key] != sharp[key]} == {"loss/l1", "loss/flow", "grad/generator_norm"}
    assert log["loss/l1"] < sharp["loss/l1"]
    assert torch.equal(slopes(state.critics), slopes(sharp_state.critics))
    assert not torch.equal(slopes(state.generator), slopes(sharp_state.generator))
