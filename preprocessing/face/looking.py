"""Looking for a face in a part of a picture."""

from dataclasses import replace

import numpy as np

from ..detection import FaceBackend, FaceDetection

_LEAST_PIXELS = 16
"""No face can be told in fewer."""


def look_within(backend: FaceBackend, picture_u8: np.ndarray, box: np.ndarray) -> FaceDetection | None:
    """What a backend sees in a part of a picture, told in fractions of the whole.

    Args:
        backend: which one.
        picture_u8: uint8 [H, W, 3].
        box: float [4] x0, y0, x1, y1 in fractions of the picture; what lies outside of it is left away.
    """
    height, width = picture_u8.shape[:2]
    left, top = (max(0, int(np.floor(edge * extent))) for edge, extent in ((box[0], width), (box[1], height)))
    right, bottom = (
        min(extent, int(np.ceil(edge * extent))) for edge, extent in ((box[2], width), (box[3], height))
    )
    if right - left < _LEAST_PIXELS or bottom - top < _LEAST_PIXELS:
        return None
    found = backend.detect_face(np.ascontiguousarray(picture_u8[top:bottom, left:right]))
    if found is None:
        return None
    scale = np.array([(right - left) / width, (bottom - top) / height], np.float32)
    corner = np.array([left / width, top / height], np.float32)
    points = found.points
    if points is not None:
        points = np.concatenate([points[:, :2] * scale + corner, points[:, 2:]], axis=-1).astype(np.float32)
    whole = (found.box.reshape(2, 2) * scale + corner).reshape(4).astype(np.float32)
    return replace(found, box=whole, points=points)


def grown(box: np.ndarray, times: float, picture_u8: np.ndarray) -> np.ndarray:
    """A square in pixels around a box [4] in fractions of a picture, ``times`` its longer side."""
    height, width = picture_u8.shape[:2]
    pixels = box.reshape(2, 2) * (width, height)
    middle, half = pixels.mean(axis=0), 0.5 * times * float((pixels[1] - pixels[0]).max())
    return np.asarray(np.stack([middle - half, middle + half]) / (width, height)).reshape(4)
