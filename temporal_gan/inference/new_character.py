"""A character that no network was trained on, known from a few labelled pictures."""

from dataclasses import dataclass

import numpy as np

from ..alpha import over_white
from ..data.letterbox import Letterbox
from ..drawings import Drawings
from ..keying import cut_out
from ..skeletons import Skeleton

NEW_CHARACTER = "reference"
"""Its name."""


@dataclass(frozen=True)
class NewCharacter:
    """Reference frames of it.

    Attributes:
        skeleton: of its poses.
        frames: as the frames of a trained character (:data:`.weights_file.References`).
        opaque: names of the pictures whose page is not plain, so that it moves with the figure.
    """

    skeleton: Skeleton
    frames: dict[str, np.ndarray]
    opaque: tuple[str, ...]


def new_character(drawings: Drawings, size: int, channels: int) -> NewCharacter:
    """Fit labelled pictures into a network's frame.

    Args:
        drawings: of any sizes; a plain page is cut away for a network of RGBA.
        size: pixels per side of the network's frames; pictures are scaled to fit, centred.
        channels: of the network: 3 or 4.
    """
    frames, keypoints, opaque = [], drawings.keypoints.copy(), []
    for number, (file, pixels) in enumerate(zip(drawings.files, drawings.pixels, strict=True)):
        picture = over_white(pixels)
        if channels == 4:
            found = cut_out(pixels)
            picture = found.picture_u8
            opaque += [file.name] if found.is_opaque else []
        box = Letterbox(picture.shape[1], picture.shape[0], size)
        frames.append(box.frames(picture[None])[0])
        keypoints[number] = box.points(keypoints[number])
    bank = {
        "video": np.stack(frames),
        "keypoints": keypoints,
        "confidence": drawings.confidence,
        "layer": np.tile(np.array(drawings.skeleton.layers, np.int64), (len(frames), 1)),
    }
    return NewCharacter(drawings.skeleton, bank, tuple(opaque))
