"""Motion-expression coherence: body and face of a made clip should quicken and slow down when those of the real one do.

metrics.coherence correlates the body's with the face's curve over hundreds of frames and compares made with real. A
training window is too short for that (the correlation of 8 frames is noise), so each curve is held against the real
clip's own: where both agree, their correlation with each other does too.
"""

import torch
from torch import Tensor

from .precision import at_least_float32

FEWEST_FRAMES = 4
"""Three rates: two always correlate perfectly."""

_STILL = 1e-8
"""Variance, the square of a ten-thousandth a frame, below which a curve is as good as constant."""


def coherence_mismatch(made: Tensor, real: Tensor) -> Tensor:
    """1 - concordance of two curves (Lin 1989, Biometrics 45, p. 255):
    ``1 - (2 s_xy + c) / (s_x^2 + s_y^2 + (m_x - m_y)^2 + c)``.

    Pearson's correlation would reward a clip that hardly moves, has no value for one that is frozen, and an endless
    slope near it; concordance asks for the real amount of movement too, and its slope is bounded by the real curve's
    variance. The constant c makes two still curves agree.

    Args:
        made, real: [B, N], N at least 3, from :func:`body_rate` or :func:`face_rate`; the real one is constant.
    Returns:
        [B] in [0, 2]: 0 equal, 1 unrelated or frozen, 2 opposite.
    """
    made, real = at_least_float32(made), at_least_float32(real).detach()
    mean_made, mean_real = made.mean(1, keepdim=True), real.mean(1, keepdim=True)
    covariance = ((made - mean_made) * (real - mean_real)).mean(1)
    spread = (made - mean_made).square().mean(1) + (real - mean_real).square().mean(1)
    off = (mean_made - mean_real).square()[:, 0]
    return 1 - (2 * covariance + _STILL) / (spread + off + _STILL)


def body_rate(keypoints: Tensor, seen: Tensor) -> Tensor:
    """How fast the body moves.

    Args:
        keypoints: [B, T, J, 2], read, in [0, 1].
        seen: bool [B, T, J]; a joint counts in a step at both ends of which it is seen. To compare two clips, give
            both the same.
    Returns:
        [B, T-1], mean speed of the joints that count, picture sizes a frame.
    """
    both = seen[:, 1:] & seen[:, :-1]
    speed = _length(at_least_float32(keypoints).diff(dim=1))
    return torch.where(both, speed, 0.0).sum(-1) / both.sum(-1).clamp_min(1)


def face_rate(expression: Tensor, seen: Tensor) -> Tensor:
    """How fast the face changes.

    Args:
        expression: [B, T, E], read, in [0, 1].
        seen: bool [B, T]: frames in which there is a face.
    Returns:
        [B, T-1], length of the change a frame; 0 beside a frame without a face.
    """
    both = seen[:, 1:] & seen[:, :-1]
    return torch.where(both, _length(at_least_float32(expression).diff(dim=1)), 0.0)


def _length(vectors: Tensor) -> Tensor:
    """Euclidean length over the last axis, with a slope at 0 (error below 1e-4)."""
    return (vectors.square().sum(-1) + 1e-8).sqrt() - 1e-4
