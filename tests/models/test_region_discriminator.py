"""The region critic: cuts where face and hands are, and says nothing of those it cannot see."""

from dataclasses import replace

import pytest
import torch
from tiny_networks import CHAIN14, random_batch, tiny_domain

from temporal_gan.batch import ClipBatch
from temporal_gan.errors import UserError
from temporal_gan.losses.critic_view import CriticView
from temporal_gan.models.conditioning import make_condition
from temporal_gan.models.region_discriminator import RegionCriticConfig, RegionDiscriminator, cut_regions
from temporal_gan.skeletons import CANONICAL25

NOSE, NECK, RIGHT_ELBOW, RIGHT_WRIST, LEFT_WRIST = (
    CANONICAL25.joints.index(n) for n in ("nose", "neck", "right_elbow", "right_wrist", "left_wrist")
)
PATCHES = 16  # 16 px a crop, two halvings


def critic() -> RegionDiscriminator:
    torch.manual_seed(0)
    return RegionDiscriminator(RegionCriticConfig(weight=1, width=4, layers=2, crop=16), tiny_domain())


def clear_batch(clips: int = 2, frames: int = 2) -> ClipBatch:
    """Every joint in plain view."""
    batch = random_batch(tiny_domain(), clips, frames)
    return replace(batch, confidence=torch.ones_like(batch.confidence))


def score(network: RegionDiscriminator, batch: ClipBatch) -> torch.Tensor:
    """Logits [B, region, T, patches]."""
    condition = make_condition(batch, tiny_domain(), 32, 2)
    logits, features = network(batch.video, condition)
    assert all(len(f) == len(batch) for f in features)
    return logits.view(len(batch), 3, batch.video.shape[1], PATCHES)


def test_a_crop_is_centred_at_sub_pixel_places() -> None:
    """On a picture whose values are its own coordinates, a crop's mean is its middle and its range its size."""
    steps = (torch.arange(64) + 0.5) / 64
    video = torch.stack([steps.expand(64, 64), steps[:, None].expand(64, 64)])[None, None]
    neck, nose = torch.tensor([0.503, 0.52]), torch.tensor([0.503, 0.42])
    elbow, wrist = torch.tensor([0.3, 0.6]), torch.tensor([0.4, 0.6])
    points = torch.stack([neck, nose, elbow, wrist])[None, None]
    crops, seen = cut_regions(video, points, torch.ones(1, 1, 4), ((0, 1), (2, 3), (2, 3)), 16)
    assert seen.tolist() == [[[1, 1, 1]]]
    middles = crops.mean(dim=(-1, -2))[0, 0]
    torch.testing.assert_close(middles[0], nose, rtol=0, atol=1e-5)
    torch.testing.assert_close(middles[1], torch.tensor([0.435, 0.6]), rtol=0, atol=1e-5)
    width = float(crops[0, 0, 0, 0, 0, -1] - crops[0, 0, 0, 0, 0, 0])
    assert width == pytest.approx(2 * 1.2 * 0.1 * 15 / 16, abs=1e-5)


def test_crops_of_a_clip_moved_for_the_critics_are_those_of_the_clip_itself() -> None:
    video = torch.full((1, 1, 3, 32, 32), -1.0)
    video[..., 8:24, 8:24] = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    # Squares that stay inside both pictures, whose borders differ.
    points = torch.tensor([[0.5, 0.55], [0.5, 0.45], [0.4, 0.6], [0.5, 0.6]])[None, None]
    view = CriticView(shift=torch.tensor([[4, -3]]))
    joints = ((0, 1), (2, 3), (2, 3))
    seen = torch.ones(1, 1, 4)
    plain, _ = cut_regions(video, points, seen, joints, 16)
    moved, _ = cut_regions(view.video(video), view.keypoints(points, 32), seen, joints, 16)
    torch.testing.assert_close(moved, plain, rtol=0, atol=1e-4)


def test_every_crop_has_its_patches_and_every_weight_learns() -> None:
    network, batch = critic(), clear_batch()
    video = batch.video.requires_grad_()
    logits = score(network, batch)
    assert bool((logits != 0).flatten(3).any(3).all())
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
    assert video.grad is not None
    assert bool(video.grad.flatten(2).any(2).all())


@pytest.mark.parametrize("confidence", [0.0, 0.5])
def test_of_what_is_missing_or_hidden_it_says_nothing_and_learns_nothing(confidence: float) -> None:
    network, batch = critic(), clear_batch(1, 2)
    known = batch.confidence.clone()
    known[0, 1, RIGHT_WRIST] = confidence
    batch = replace(batch, confidence=known)
    logits = score(network, batch)
    shown = (logits != 0).any(3)[0]
    assert shown.tolist() == [[True, True], [True, False], [True, True]]
    known[:, :, [NOSE, RIGHT_WRIST, LEFT_WRIST]] = confidence
    points = torch.where(known[..., None] > 0, batch.keypoints, float("nan"))
    hidden = replace(batch, confidence=known, keypoints=points, video=batch.video.requires_grad_())
    nothing = make_condition(replace(hidden, keypoints=batch.keypoints), tiny_domain(), 32, 2)
    logits, _ = network(hidden.video, replace(nothing, keypoints=points))
    assert not logits.any()
    (logits + 1).square().sum().backward()
    assert not hidden.video.grad.any()  # type: ignore[union-attr]
    assert all(p.grad is None or not p.grad.any() for p in network.parameters())


@torch.no_grad()
def test_the_face_is_judged_by_expression_and_all_by_character() -> None:
    network, batch = critic(), clear_batch()
    base = score(network, batch)
    other_face = (score(network, replace(batch, expression=1 - batch.expression)) != base).any(3)
    assert other_face[:, 0].all()
    assert not other_face[:, 1:].any()
    assert bool((score(network, replace(batch, character=1 - batch.character)) != base).any(3).all())


def test_a_skeleton_without_face_and_hands_is_refused() -> None:
    with pytest.raises(UserError, match="chain14 has no left_elbow, left_wrist, neck, nose"):
        RegionDiscriminator(RegionCriticConfig(weight=1), tiny_domain(skeleton=CHAIN14))
