"""Augmentation: joints follow pixels, flow stays exact, one draw per clip, nothing when all is off."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from moving_dots import EXPRESSIONS, SKELETON, make_store
from pydantic import ValidationError
from torch import Tensor

from temporal_gan.batch import ClipBatch, to_display_range, to_model_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import collate, whole_clip
from temporal_gan.data.transforms import AugmentConfig, PointMap, augment
from temporal_gan.skeletons import Skeleton, limbs

GEOMETRY = {"flip_prob": 0.5, "warp": 0.1, "zoom": 0.3, "shift": 0.1}
COLOUR = {"brightness": 0.3, "contrast": 0.3, "saturation": 0.5, "hue": 0.1}
ALL = AugmentConfig(**GEOMETRY, **COLOUR)


def run(batch: ClipBatch, config: AugmentConfig, seed: int = 0, first: int = 0) -> ClipBatch:
    return augment(batch, config, seed, first, SKELETON, EXPRESSIONS)


def close(a: Tensor, b: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


def wavy_clip(clips: int = 6, size: int = 48, channels: int = 4) -> ClipBatch:
    """A texture that swells: content at p moves to p + f(p), a different f each pair, known exactly."""
    frames = 3
    axis = (torch.arange(size) + 0.5) / size
    grid = torch.stack([axis.expand(size, size), axis[:, None].expand(size, size)], dim=-1).double()
    growth = torch.tensor([1.0, 1.06, 1.1]).double()
    middle = torch.tensor([[0.45, 0.5], [0.47, 0.49], [0.5, 0.47]]).double()

    def colour(p: Tensor) -> Tensor:
        return (
            torch.stack([torch.sin(p[..., 0] * 21 + k) * torch.cos(p[..., 1] * 17 + 2 * k) for k in range(3)])
            / 2
        )

    video, flow = [], []
    for t in range(frames):
        home = (grid - middle[t]) / growth[t]
        alpha = torch.sigmoid(40 * (0.35 - home.norm(dim=-1)))[None]
        rgb = colour(home) * 0.9 + 0.5
        video.append(torch.cat([rgb * alpha, alpha]) if channels == 4 else rgb * alpha + 1 - alpha)
        if t:
            before = (grid - middle[t - 1]) / growth[t - 1]
            flow.append(((before * growth[t] + middle[t] - grid) * size).permute(2, 0, 1))
    shape = (clips, 1, 1, 1, 1)
    return ClipBatch(
        video=to_model_range(torch.stack(video).float().clamp(0, 1)).repeat(shape),
        keypoints=torch.rand(clips, frames, 3, 2, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2,
        confidence=torch.ones(clips, frames, 3),
        layer=torch.tensor([1, 0, 2]).expand(clips, frames, 3).contiguous(),
        expression=torch.tensor([0.2, 0.8, 1.0, 0.0]).expand(clips, frames, 4).contiguous(),
        expression_confidence=torch.ones(clips, frames, 4),
        character=torch.zeros(clips, dtype=torch.long),
        time=torch.zeros(clips, frames),
        hold=torch.zeros(clips, frames, dtype=torch.long),
        clip_id=tuple(str(b) for b in range(clips)),
        flow=torch.stack(flow).float().repeat(shape),
        flow_valid=torch.ones(clips, frames - 1, 1, size, size, dtype=torch.bool),
    ).validate()


def warp_back(batch: ClipBatch) -> tuple[Tensor, Tensor]:
    """Mean squared difference on [0, 1] of frame t and frame t+1 at x + flow; and without; where valid."""
    video = to_display_range(batch.video)
    b, t, c, h, w = video.shape
    assert batch.flow is not None
    assert batch.flow_valid is not None
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    at = torch.stack([x, y], -1) + batch.flow.flatten(0, 1).permute(0, 2, 3, 1)
    at = (2 * at + 1) / torch.tensor([w, h]) - 1
    mode = {"mode": "bicubic", "padding_mode": "border", "align_corners": False}
    made = F.grid_sample(video[:, 1:].flatten(0, 1), at, **mode).reshape(b, t - 1, c, h, w)
    good = batch.flow_valid.float()
    count = good.sum() * c
    with_flow = ((made - video[:, :-1]).square() * good).sum() / count
    without = ((video[:, 1:] - video[:, :-1]).square() * good).sum() / count
    return with_flow, without


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("part", ["flip_prob", "warp", "zoom", "shift", "all"])
def test_flow_stays_exact(part: str, channels: int) -> None:
    batch = wavy_clip(channels=channels)
    strength = GEOMETRY if part == "all" else {part: 1.0 if part == "flip_prob" else GEOMETRY[part]}
    made = run(batch, AugmentConfig(**strength)).validate()
    assert made.flow_valid is not None
    assert made.flow_valid.float().mean() > 0.5
    before, _ = warp_back(batch)
    after, without = warp_back(made)
    # The frames are sampled twice more than the originals, which blurs; a flow that is not moved with the
    # picture leaves 0.3 or more of the difference (checked by breaking it).
    assert after < 0.02 * without
    assert after < 10 * before + 1e-5


def test_joints_follow_the_pixels() -> None:
    size, batch = 96, wavy_clip(clips=8, size=96)
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    at = batch.keypoints * size
    spots = torch.stack(
        [torch.exp(-((x - p[0]) ** 2 + (y - p[1]) ** 2) / 8) for p in at.reshape(-1, 2)]
    ).reshape(8, 3, 3, size, size)
    video = torch.cat([spots, torch.ones_like(spots[:, :, :1])], dim=2)
    made = run(batch.__class__(**{**vars(batch), "video": to_model_range(video)}), AugmentConfig(**GEOMETRY))
    found = to_display_range(made.video)
    order = SKELETON.flip_permutation().tolist()
    seen = flips = 0
    for b in range(8):
        mirrored = made.layer[b, 0].tolist() == [1, 2, 0]
        flips += mirrored
        for t in range(3):
            for j in range(3):
                spot = found[b, t, order[j] if mirrored else j]
                edge = (made.keypoints[b, t, j] - 0.5).abs().max() * size
                if edge > size / 2 - 8:  # beyond the edge, or cut by it
                    continue
                centre = torch.stack([(spot * x).sum(), (spot * y).sum()]) / spot.sum()
                # The warp bends a spot of 2 px a little, which moves its centre; a missed flip is > 1 px.
                assert (centre - made.keypoints[b, t, j] * size).norm() < 0.35
                seen += 1
    assert seen > 40
    assert 0 < flips < 8


def test_inverse_map_is_within_a_hundredth_of_a_pixel() -> None:
    generator = torch.Generator().manual_seed(1)
    for worst in (False, True):
        corners = torch.zeros(9, 2, dtype=torch.float64)
        draw = torch.rand(5, 2, generator=generator, dtype=torch.float64) * 2 - 1
        corners[[1, 3, 4, 5, 7]] = 0.1 * (draw.sign() if worst else draw)
        phi = PointMap(torch.tensor([-0.8, 0.8]).double(), torch.tensor([0.93, 0.05]).double(), corners)
        points = torch.rand(500, 2, generator=generator, dtype=torch.float64)
        assert (phi.inverse(phi.forward(points)) - points).abs().max() * 1024 < 0.01
        assert (phi.forward(points) - (points * phi.scale + phi.offset)).abs().max() > 0.03


def test_all_off_is_the_identical_batch() -> None:
    batch = wavy_clip()
    assert run(batch, AugmentConfig()) is batch
    kept = run(batch, AugmentConfig(flip_prob=1e-12))
    assert all(
        torch.equal(getattr(kept, n), getattr(batch, n)) for n in ("video", "keypoints", "flow", "layer")
    )


def test_draw_depends_on_seed_and_sample_alone() -> None:
    batch = wavy_clip(clips=4)
    whole = run(batch, ALL, first=10)
    part = run(collate([_one(batch, 2), _one(batch, 3)]), ALL, first=12)
    for name in ("video", "keypoints", "flow", "flow_valid", "expression"):
        assert torch.equal(getattr(whole, name)[2:], getattr(part, name))
    assert not torch.equal(whole.video[0], whole.video[1])
    assert not torch.equal(run(batch, ALL, seed=1, first=10).video, whole.video)


def _one(batch: ClipBatch, b: int) -> ClipBatch:
    values = {n: v[b : b + 1] if v is not None else None for n, v in vars(batch).items()}
    return ClipBatch(**values)


def test_switching_one_change_on_leaves_the_others() -> None:
    batch = wavy_clip()
    plain, coloured = run(batch, AugmentConfig(**GEOMETRY)), run(batch, ALL)
    assert torch.equal(plain.keypoints, coloured.keypoints)
    assert not torch.equal(plain.video, coloured.video)


def test_mirror_twice_is_the_original() -> None:
    batch = wavy_clip()
    flip = AugmentConfig(flip_prob=1)
    once = run(batch, flip)
    assert once.expression[0, 0].tolist() == pytest.approx([0.2, 0.8, 0.0, 1.0])
    assert once.layer[0, 0].tolist() == [1, 2, 0]
    assert once.flow is not None
    assert batch.flow is not None
    close(once.video, batch.video.flip(-1), 1e-5)
    close(once.keypoints[..., 0], 1 - batch.keypoints[..., [0, 2, 1], 0], 1e-6)
    close(once.flow[:, :, 0], -batch.flow[:, :, 0].flip(-1), 1e-4)
    twice = run(once, flip)
    for name in ("video", "keypoints", "flow", "expression", "layer"):
        close(getattr(twice, name), getattr(batch, name), 1e-4)


def test_joints_out_of_the_picture_lose_confidence() -> None:
    batch = wavy_clip(clips=20)
    made = run(batch, AugmentConfig(zoom=1.0, shift=0.5))
    inside = ((made.keypoints >= 0) & (made.keypoints <= 1)).all(-1)
    assert torch.equal(made.confidence, inside.float())
    assert 0.05 < 1 - inside.float().mean() < 0.9
    assert made.keypoints.min() >= -0.5
    assert made.keypoints.max() <= 1.5


def test_beyond_the_picture_is_transparent_or_of_border_colour() -> None:
    batch = wavy_clip(clips=12)
    framed = torch.rand(12, 3, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    framed[..., [0, -1], :] = framed[..., [0, -1]] = 0.25
    for video, outside in ((torch.ones_like(batch.video), -1.0), (framed, 0.25)):
        made = run(ClipBatch(**{**vars(batch), "video": video}), AugmentConfig(shift=0.5)).video
        bare = (made - outside).abs().amax(2) < 1e-5
        # Shifts of up to half the picture, each way: 1 - (3/4)^2 of it is bare on average, a half to be safe.
        assert 0.25 < bare.float().mean() < 0.65
        assert all((bare[b].all(0)[y, x]) for b in range(12) for y, x in [_bare_corner(bare[b, 0])])


def _bare_corner(bare: Tensor) -> tuple[int, int]:
    """The corner from which the picture was moved away: the one with most bare pixels around it."""
    parts = {(y, x): bare[y:][:24, x:][:, :24].float().mean().item() for y in (0, 24) for x in (0, 24)}
    y, x = max(parts, key=parts.__getitem__)
    return -1 if y else 0, -1 if x else 0


def test_colour_respects_premultiplied_alpha() -> None:
    batch = wavy_clip()
    made = to_display_range(run(batch, AugmentConfig(**COLOUR)).video)
    assert (made[:, :, :3] <= made[:, :, 3:] + 1e-6).all()
    assert torch.equal(made[:, :, 3], to_display_range(batch.video)[:, :, 3])
    # The same change on an opaque clip of the same colours gives the same straight colours.
    straight = torch.cat(
        [torch.full_like(batch.video[:, :, :3], 0.0), torch.ones_like(batch.video[:, :, :1])], dim=2
    )
    half = straight.clone()
    half[:, :, :3], half[:, :, 3] = -0.5, 0.0  # colour 0.5 at alpha 0.5, premultiplied 0.25
    for config in (AugmentConfig(**COLOUR), AugmentConfig(contrast=1.0)):
        a = to_display_range(run(ClipBatch(**{**vars(batch), "video": straight}), config).video)
        b = to_display_range(run(ClipBatch(**{**vars(batch), "video": half}), config).video)
        close(b[:, :, :3] * 2, a[:, :, :3], 1e-5)


def test_each_colour_change_does_what_it_says() -> None:
    batch = wavy_clip(clips=40)
    unit = to_display_range(batch.video)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]

    def grey(video: Tensor) -> Tensor:
        return (to_display_range(video)[:, :, :3] * luma).sum(2)

    bright = grey(run(batch, AugmentConfig(brightness=0.1)).video).mean((1, 2, 3)) / grey(batch.video).mean(
        (1, 2, 3)
    )
    assert bright.min() == pytest.approx(0.9, abs=0.03)  # 40 even draws reach near both ends
    assert bright.max() == pytest.approx(1.1, abs=0.03)
    turned = run(batch, AugmentConfig(hue=0.05))
    # Hue and saturation leave luma, but for the few pixels that leave the colour cube.
    assert (grey(turned.video) - grey(batch.video)).abs().mean() < 2e-3
    assert (to_display_range(turned.video) - unit).abs().mean() > 5e-3
    dull = run(batch, AugmentConfig(saturation=1.0))
    assert (grey(dull.video) - grey(batch.video)).abs().mean() < 2e-2
    flat = to_display_range(run(batch, AugmentConfig(contrast=0.2)).video)[:, :, :3].std((1, 2, 3, 4))
    assert flat.max() - flat.min() > 0.02


def test_every_frame_gets_the_same_change(tmp_path: Path) -> None:
    batch = wavy_clip()
    still = ClipBatch(**{**vars(batch), "video": batch.video[:, :1].expand_as(batch.video).contiguous()})
    made = run(still, ALL)
    assert torch.equal(made.video[:, 0], made.video[:, 2])
    assert not torch.equal(made.video[:, 0], still.video[:, 0])


def test_stored_clips_and_other_skeletons_can_be_augmented(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", size=(24, 24))
    cache = open_cache(store, 24, "exact", quiet=True)
    made = run(whole_clip(store, cache, "clip_0"), ALL).validate()
    assert made.flow_valid is not None
    plain = Skeleton("plain", ("a", "b", "c"), (), (), (0, 0, 0))
    bare = whole_clip(store, open_cache(store, 24, quiet=True), "clip_0")
    mirrored = augment(bare, AugmentConfig(flip_prob=1), 0, 0, plain, EXPRESSIONS)
    assert mirrored.flow is None
    assert torch.equal(mirrored.layer, bare.layer)


def test_config_refuses_what_would_fold_or_is_unknown() -> None:
    with pytest.raises(ValidationError, match="warp"):
        AugmentConfig(warp=0.2)
    with pytest.raises(ValidationError, match="flip"):
        AugmentConfig(flip=0.5)  # type: ignore[call-arg]


# Limbs that are not commanded


def test_a_dropped_limb_is_gone_from_the_command_in_every_frame_and_from_nothing_else() -> None:
    batch = wavy_clip(clips=40)
    batch = ClipBatch(**{**vars(batch), "confidence": torch.ones_like(batch.confidence)})
    made = run(batch, AugmentConfig(limb_drop_prob=0.5))
    allowed = {tuple(limb) for limb in limbs(SKELETON)}
    dropped = [tuple(c[0].eq(0).nonzero().flatten().tolist()) for c in made.confidence]
    assert {d for d in dropped if d} <= allowed
    assert 10 <= sum(map(bool, dropped)) <= 30
    assert len(set(dropped)) > 2
    assert torch.equal(made.confidence, made.confidence[:, :1].expand_as(made.confidence))
    for name in ("video", "keypoints", "flow", "flow_valid", "expression", "layer"):
        assert torch.equal(getattr(made, name), getattr(batch, name)), name
    assert bool((batch.confidence == 1).all())


def test_dropped_joints_are_gone_from_clip_and_references_alike_and_more_or_less_of_them() -> None:
    batch = wavy_clip(clips=40)
    batch = ClipBatch(**{**vars(batch), "confidence": torch.ones_like(batch.confidence)})
    batch = replace(
        batch,
        reference_video=batch.video[:, :2],
        reference_keypoints=batch.keypoints[:, :2],
        reference_confidence=batch.confidence[:, :2],
        reference_layer=batch.layer[:, :2],
    )
    made = run(batch, AugmentConfig(joint_drop_prob=0.5))
    assert made.reference_confidence is not None
    gone = made.confidence[:, 0] == 0
    assert torch.equal(made.confidence, (~gone)[:, None].expand_as(made.confidence).float())
    assert torch.equal(made.reference_confidence == 0, gone[:, None].expand_as(made.reference_confidence))
    share = gone.float().mean(1)
    # Half of the clips, and of those on average a quarter of the joints, never more than chance makes of a half.
    assert 0.05 < float(share.mean()) < 0.25
    assert 8 <= int((share > 0).sum()) <= 28
    assert len(set(share.tolist())) > 3
    for name in ("video", "keypoints", "layer", "reference_video"):
        assert torch.equal(getattr(made, name), getattr(batch, name)), name


def test_which_joints_are_dropped_is_a_function_of_seed_and_sample_and_the_others_stay_as_sure() -> None:
    batch = wavy_clip(clips=20)
    batch = ClipBatch(**{**vars(batch), "confidence": torch.full_like(batch.confidence, 0.5)})
    every = AugmentConfig(joint_drop_prob=1.0)
    made, again, other, later = (
        augment(batch, every, seed, first, SKELETON, EXPRESSIONS).confidence
        for seed, first in ((0, 0), (0, 0), (1, 0), (0, 5))
    )
    assert torch.equal(made, again)
    assert set(made.flatten().tolist()) == {0.0, 0.5}
    assert not torch.equal(made, other)
    # A clip's number counts, not its place in the batch.
    assert torch.equal(later[:15], made[5:])
    assert len({tuple(clip[0].tolist()) for clip in made}) > 3
