"""Do the made characters move as the real ones do, as a set? Distances between sets of motions.

The idea is that of FVMD (Liu et al. 2024): histograms of velocity and acceleration, compared by a Frechet
distance; read from keypoints, which need no tracker and no weights.
"""

import math

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from .frechet import frechet_distance

DIRECTIONS, SEGMENTS = 8, 4
FEATURES = 2 * SEGMENTS * DIRECTIONS
"""64: few enough for a few hundred windows."""

# Where the logarithm bends: slow motion counts in proportion, fast motion by its order of magnitude.
_SPEED = 0.25
_ACCELERATION = 2.5


def pose_motion_features(
    keypoints: Tensor, present: Tensor, box_side: Tensor, fps: float, window: int = 16
) -> Tensor:
    """What each window of a clip does: directions of velocity and acceleration, weighted by their logarithm.

    Each window is cut in 4 segments; each segment has 8 sectors of direction for velocity and 8 for acceleration,
    each the mean over joints and frames of ``log(1 + length / unit)`` in that sector. Units are 0.25 box sides a
    second and 2.5 a second squared, so size and frame rate divide out; any skeleton serves.

    Args:
        keypoints: [B, T, J, 2], pixels.
        present: bool [B, T, J].
        box_side: [B, T], pixels, from :func:`temporal_gan.metrics.pose.keypoint_box_side`.
        fps: frames a second.
        window: frames, at least 8; windows follow each other and the rest of a clip is left out.
    Returns:
        float64 [B * (T // window), 64].
    Raises:
        UserError: clips shorter than a window, or shapes disagree.
    """
    b, t, j = keypoints.shape[:3]
    if present.shape != (b, t, j) or box_side.shape != (b, t) or window < 8 or t < window:
        raise UserError(
            f"pose_motion_features: keypoints {tuple(keypoints.shape)}, present {tuple(present.shape)}, "
            f"box_side {tuple(box_side.shape)}, window {window}; expected [B, T, J, 2], [B, T, J], [B, T] and "
            "8 <= window <= T"
        )
    # One size a clip: a box that breathes with the limbs would look like motion.
    side = box_side.double().median(dim=1).values.clamp_min(1e-9).view(b, 1, 1, 1)
    position = keypoints.double() / side
    velocity, acceleration = position.diff(dim=1) * fps, position.diff(n=2, dim=1) * fps**2
    moving = present[:, 1:] & present[:, :-1]
    turning = moving[:, 1:] & moving[:, :-1]
    windows = []
    for start in range(0, t - window + 1, window):
        parts = []
        for vectors, known, unit, lost in (
            (velocity, moving, _SPEED, 1),
            (acceleration, turning, _ACCELERATION, 2),
        ):
            inside = slice(start, start + window - lost)
            cut = zip(
                vectors[:, inside].tensor_split(SEGMENTS, dim=1),
                known[:, inside].tensor_split(SEGMENTS, dim=1),
                strict=True,
            )
            parts += [_histogram(v, k, unit) for v, k in cut]
        windows.append(torch.cat(parts, dim=-1))
    return torch.stack(windows, dim=1).flatten(0, 1)


def pose_motion_distance(made: Tensor, real: Tensor) -> float:
    """Frechet distance of two sets of :func:`pose_motion_features`, [N, 64] and [M, 64]; lower is nearer."""
    return frechet_distance(made, real)


def diversity(features: Tensor) -> float:
    """Mean distance between two different vectors of a set [N, D], N >= 2; hold it against the real set's.

    Of clips made for one command with several seeds it says how many answers a model has; a model that always
    gives the same one scores 0.

    Raises:
        UserError: fewer than two vectors.
    """
    if features.ndim != 2 or len(features) < 2:
        raise UserError(f"diversity: features are {tuple(features.shape)}, expected [N, D] with N >= 2")
    rows, count = features.double(), len(features)
    # In portions: all distances of 10,000 vectors at once take a gigabyte.
    total = sum(
        float(torch.cdist(part, rows, compute_mode="donot_use_mm_for_euclid_dist").sum())
        for part in rows.split(max(1, 2_000_000 // count))
    )
    return total / (count * (count - 1))


def mode_coverage(made: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """How much of what the real set shows the made set shows.

    Args:
        made: int [N], the mode (motion, expression or character) that a reader sees in each made clip.
        real: int [M], of each real clip.
    Returns:
        The part of the real modes that any made clip shows; and the overlap ``sum min(p_made, p_real)``, 1 for
        equal frequencies. Both in [0, 1], higher is better.
    Raises:
        UserError: an empty set.
    """
    if not len(made) or not len(real):
        raise UserError(
            f"mode_coverage: {len(made)} made and {len(real)} real clips, need at least one of each"
        )
    modes = np.unique(np.concatenate([made, real]))
    p_made, p_real = (np.array([(labels == mode).mean() for mode in modes]) for labels in (made, real))
    return float((p_made[p_real > 0] > 0).mean()), float(np.minimum(p_made, p_real).sum())


def _histogram(vectors: Tensor, known: Tensor, unit: float) -> Tensor:
    """[B, n, J, 2] and [B, n, J] -> [B, 8], mean weight in each sector of direction."""
    # where before the angle: a missing joint may hold NaN coordinates.
    vectors = torch.where(known.unsqueeze(-1), vectors, 0.0)
    weight = torch.log1p(vectors.norm(dim=-1) / unit)
    angle = torch.atan2(vectors[..., 1], vectors[..., 0])
    # Shared between the two nearest sectors: a slight turn of the limb changes little.
    place = (angle / (2 * math.pi) * DIRECTIONS).remainder(DIRECTIONS)
    low = place.floor()
    share = place - low
    index = low.long() % DIRECTIONS
    result = weight.new_zeros(len(vectors), DIRECTIONS)
    for which, part in ((index, weight * (1 - share)), ((index + 1) % DIRECTIONS, weight * share)):
        result.scatter_add_(1, which.flatten(1), part.flatten(1))
    return result / known.double().sum(dim=(1, 2)).clamp_min(1)[:, None]
