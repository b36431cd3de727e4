"""Lengths of a face from its 28 points, in widths of the face, upright whatever the head's tilt."""

import numpy as np

MEASURES = (
    "left_eye",
    "right_eye",
    "mouth_open",
    "mouth_width",
    "mouth_lift",
    "brow_slant",
    "brow_height",
)
"""Opening of the subject's left eye and right eye; opening and width of the mouth; how far its corners are above its
middle; how far the brows' inner ends are above the outer ones; how far the brows are above the nose."""

_CONTOUR, _BROWS, _EYES, _NOSE, _MOUTH = slice(0, 5), slice(5, 11), slice(11, 23), 23, slice(24, 28)

_TURNED, _PROFILE = 0.3, 0.6
"""How far the nose is from the middle of the eyes, in distances between them, before a face is trusted less, and where
no longer at all: up to 0.15 in puppets, 0.23 in clips of people who look aside, 0.4 to 0.9 in drawings in profile."""

_LEAST_PIXELS = 4
"""Between the eyes, and across the face."""


def measure_faces(points: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Measure faces that look at the viewer, more or less.

    Args:
        points: float [N, 28, 3] x, y in fractions of the picture, confidence; in the order of the puppet's
            ``FACE_POINTS``: contour 5, brows 3 + 3, eyes 6 + 6 (each pair the one on the picture's left first, which is
            the subject's right), nose 1, mouth 4.
        width, height: pixels of the picture.
    Returns:
        float64 [N, 7] in the order of ``MEASURES``, and how far each can be trusted, float64 [N, 7] in [0, 1]: the
        points' confidence, less the more the face is turned away; 0 where it is too small to measure.
    """
    xy = points[..., :2].astype(np.float64) * (width, height)
    eyes = xy[:, _EYES].reshape(-1, 2, 6, 2)
    middles = eyes.mean(axis=2)
    across = middles[:, 1] - middles[:, 0]
    apart = np.linalg.norm(across, axis=-1)
    across = across / np.maximum(apart, 1e-9)[:, None]
    down = np.stack([-across[:, 1], across[:, 0]], axis=-1)
    contour = xy[:, _CONTOUR]
    unit = np.linalg.norm(contour[:, 4] - contour[:, 0], axis=-1)
    size = np.maximum(unit, 1e-9)[:, None]

    def depth(what: np.ndarray) -> np.ndarray:
        """How far points [N, P, 2] are down the face, [N, P] in widths of it."""
        return np.asarray(np.einsum("npc,nc->np", what, down) / size)

    eye = depth(xy[:, _EYES]).reshape(-1, 2, 6)
    opening = (eye[..., [4, 5]] - eye[..., [2, 1]]).mean(axis=-1)
    brow = depth(xy[:, _BROWS]).reshape(-1, 2, 3)
    mouth = depth(xy[:, _MOUTH])
    inner_brow, outer_brow = (brow[:, 0, 2] + brow[:, 1, 0]) / 2, (brow[:, 0, 0] + brow[:, 1, 2]) / 2
    corners = (mouth[:, 0] + mouth[:, 2]) / 2
    values = np.stack(
        [
            opening[:, 1],
            opening[:, 0],
            mouth[:, 3] - mouth[:, 1],
            np.linalg.norm(xy[:, 26] - xy[:, 24], axis=-1) / size[:, 0],
            (mouth[:, 1] + mouth[:, 3]) / 2 - corners,
            outer_brow - inner_brow,
            depth(xy[:, [_NOSE]])[:, 0] - brow.mean(axis=(1, 2)),
        ],
        axis=-1,
    )
    sure = points[..., 2].astype(np.float64)
    eye_sure, brow_sure = (
        sure[:, part].reshape(-1, 2, count).min(axis=-1) for part, count in ((_EYES, 6), (_BROWS, 3))
    )
    mouth_sure = sure[:, _MOUTH].min(axis=-1)
    brows = brow_sure.min(axis=-1)
    trust = np.stack(
        [
            eye_sure[:, 1],
            eye_sure[:, 0],
            mouth_sure,
            mouth_sure,
            mouth_sure,
            brows,
            np.minimum(brows, sure[:, _NOSE]),
        ],
        -1,
    )
    aside = np.abs(np.einsum("nc,nc->n", xy[:, _NOSE] - middles.mean(axis=1), across)) / np.maximum(
        apart, 1e-9
    )
    front = np.clip((_PROFILE - aside) / (_PROFILE - _TURNED), 0, 1) * (
        np.minimum(unit, apart) >= _LEAST_PIXELS
    )
    return values, trust * front[:, None]
