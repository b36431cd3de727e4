"""How well is a clip drawn where limbs of different depth lie over each other, and how well elsewhere?"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scoreboard import ClipValues, Measure, table
from torch import Tensor

from temporal_gan import rng
from temporal_gan.batch import composite_on_white
from temporal_gan.data.store import Store
from temporal_gan.evaluation.clip_pairs import ClipPair, resize_clip
from temporal_gan.metrics import paired
from temporal_gan.metrics.comparison import paired_difference
from temporal_gan.pose_maps import limb_coordinates

NEAR = 0.03
"""Distance from a limb's middle line, in picture sides, at which its drawing ends: the puppet's legs are as thick."""

MEASURES = (
    Measure("where limbs overlap", "overlap_psnr", 2),
    Measure("elsewhere", "elsewhere_psnr", 2),
    Measure("overlap's share of the foreground", "overlap_share", 3),
)


def overlap_mask(
    keypoints: Tensor, confidence: Tensor, layer: Tensor, edges: Sequence[tuple[int, int]], size: int
) -> Tensor:
    """Pixels near two limbs of different depth layers that share no joint.

    A bare warp tears here: what lies behind was hidden in the reference, and one pixel is wanted by two transforms.
    A limb is the band along its middle line, without round ends, and none where it is shorter than it is thick (a hip
    seen from the side): where neighbours meet is no overlap.

    Args:
        keypoints, confidence: [T, J, 2] in [0, 1] of a square picture, [T, J].
        layer: int64 [T, J], 0 nearest; a limb lies where its nearer joint does.
        edges: limbs as pairs of joints.
        size: S.
    Returns:
        bool [T, 1, S, S].
    """
    start, end = torch.tensor(edges).T
    there = torch.minimum(confidence[:, start], confidence[:, end]) > 0
    points = torch.where(confidence[..., None] > 0, keypoints, 0.0) * size
    limbs = limb_coordinates(points[:, start], points[:, end], size)
    there &= limbs.length > 2 * NEAR * size
    beside = (limbs.along >= 0) & (limbs.along <= limbs.length[..., None, None])
    near = beside & (limbs.distance_squared <= (NEAR * size) ** 2) & there[..., None, None]
    depth = torch.minimum(layer[:, start], layer[:, end])
    mask = torch.zeros(len(keypoints), size, size, dtype=torch.bool)
    for i, first in enumerate(edges):
        for j, second in enumerate(edges[:i]):
            if not set(first) & set(second):
                apart = depth[:, i] != depth[:, j]
                mask |= near[:, i] & near[:, j] & apart[:, None, None]
    return mask[:, None]


def overlap_psnr(pair: ClipPair, store: Store) -> dict[str, float]:
    """Of a square clip: foreground PSNR, dB, where limbs overlap and elsewhere, and the overlap's share of the
    foreground; without a name where no frame has such pixels."""
    assert pair.keypoints is not None
    assert pair.confidence is not None
    real = composite_on_white(pair.real)
    made = composite_on_white(resize_clip(pair.made, *real.shape[-2:]))
    layer = torch.from_numpy(store.labels(pair.clip_id).layer).long()
    overlap = overlap_mask(pair.keypoints, pair.confidence, layer, store.info.skeleton.edges, real.shape[-1])
    shown = paired.union_foreground(made[None], pair.real[None])
    values = {
        "overlap_psnr": paired.foreground_psnr(made[None], real[None], shown & overlap),
        "elsewhere_psnr": paired.foreground_psnr(made[None], real[None], shown & ~overlap),
        "overlap_share": (shown & overlap).sum() / shown.sum(),
    }
    return {name: float(value) for name, value in values.items() if bool(torch.isfinite(value).all())}


def against_warp(
    made: ClipValues, warp: ClipValues, characters: Mapping[str, str], motions: Mapping[str, str]
) -> str:
    """Differences to a bare warp as a table: over all clips, and motion by motion with the clips that it wins.

    Args:
        made, warp: from :func:`overlap_psnr`, clip by clip.
        characters, motions: of each clip.
    """
    rows = [["", "made minus warp, dB", "95 %", "p", "clips", "of them the warp is better in"]]
    for name, title in (("overlap_psnr", "overlap"), ("elsewhere_psnr", "elsewhere")):
        clips = [c for c in made if name in made[c] and name in warp[c]]
        groups = {"all motions": clips} | {
            motion: [c for c in clips if motions[c] == motion] for motion in sorted(set(motions.values()))
        }
        for motion, chosen in groups.items():
            if not chosen:
                continue
            a, b = (np.array([side[c][name] for c in chosen]) for side in (made, warp))
            who = np.array([characters[c] for c in chosen])
            found = paired_difference(a, b, rng.numpy_generator(0, "overlap"), clusters=who)
            interval = "-" if found.interval is None else "{:+.2f} to {:+.2f}".format(*found.interval)
            rows.append(
                [f"{title}, {motion}", f"{found.mean:+.2f}", interval, f"{found.p_value:.3f}", str(len(chosen)),
                 str(int((a < b).sum()))]
            )  # fmt: skip
    return table(rows)
