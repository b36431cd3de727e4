"""From the numbers of a file to places within a picture."""

from pathlib import PurePosixPath

import numpy as np

from temporal_gan.errors import UserError


def within_frame(keypoints: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of a picture as labels keep them: a joint outside the frame is missing.

    Args:
        keypoints: float [..., J, 2].
        confidence: float [..., J].
    Returns:
        float32 of the same shapes, in [0, 1].
    """
    points = keypoints.astype(np.float32)
    # Half a pixel of rounding beyond the edge is still the edge.
    inside = ((points >= -1e-3) & (points <= 1 + 1e-3)).all(-1)
    return np.clip(points, 0, 1), np.where(inside, np.clip(confidence, 0, 1), 0).astype(np.float32)


def relative_name(text: str, where: str) -> str:
    """The name of a file below the media's folder, with ``/``.

    Raises:
        UserError: absolute, leading out of the folder by ``..``, or of characters that no file name has.
    """
    path = PurePosixPath(text.replace("\\", "/"))
    drive = len(text) > 1 and text[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or not path.parts or "\0" in text:
        raise UserError(f"{where} is {text!r:.80}, expected the name of a file below the media's folder")
    return path.as_posix()
