"""Expression by the project's own reader, on the face wherever it was found."""

import numpy as np
import torch
from torch.nn import functional

from temporal_gan.alpha import over_white
from temporal_gan.expressions import CLASSES, EXPRESSIONS
from temporal_gan.models.reader import FACE_JOINTS, FACE_REACH, NECK, Reader, read_video

from ..clip import Clip, Face

_CROP_OF_BOX = 1.4
"""Side of the crop the reader was trained with, in sides of the box of a face's points: the median of 240 puppet clips,
nine tenths of which are between 1.34 and 1.53."""

_CHUNK = 32


@torch.no_grad()
def read_faces(reader: Reader, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Expression of each drawing of a clip.

    The face that was found is read; where nobody looked for faces, the one the reader finds by itself. Trained on
    puppets only: of other styles it is a guess, and its confidence says nothing of that.

    Args:
        reader: in eval mode.
        clip: with its faces, where they were looked for.
    Returns:
        intensity and confidence, float32 [D, 14] in the order of EXPRESSIONS; 0 where a face was looked for in vain.
    """
    drawings, face = clip.drawings, clip.face
    intensity = np.zeros((len(drawings), len(EXPRESSIONS)), np.float32)
    sure = np.ones(len(drawings), np.float32) if face is None else face.confidence[drawings]
    rows = np.flatnonzero(sure > 0)
    # As floats a long clip takes over half a gigabyte, so few pictures at a time.
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        pictures = torch.from_numpy(over_white(clip.frames_u8[drawings[part]]))
        video = pictures.permute(0, 3, 1, 2).float() / 255
        if face is None:
            reading = read_video(reader, video)
            intensity[part], sure[part] = reading.expression.numpy(), reading.face.numpy()
        else:
            intensity[part] = _read_boxes(reader, video, face, drawings[part])
    return intensity.astype(np.float32), np.repeat(sure[:, None], len(EXPRESSIONS), axis=1).astype(np.float32)


def _read_boxes(reader: Reader, video: torch.Tensor, face: Face, frames: np.ndarray) -> np.ndarray:
    """Pictures [N, 3, H, W] -> [N, 14], the crop laid around each box."""
    height, width = video.shape[-2:]
    side = max(height, width)
    square = functional.pad(video, (0, side - width, 0, side - height), value=1.0)
    corners = torch.from_numpy(face.box[frames]).view(-1, 2, 2) * torch.tensor([width, height]) / side
    reach = _CROP_OF_BOX / 2 * (corners[:, 1] - corners[:, 0]).amax(dim=-1)
    keypoints = torch.zeros(len(frames), 25, 2)
    confidence = torch.zeros(len(frames), 25)
    middle = corners.mean(dim=1)
    keypoints[:, list(FACE_JOINTS)] = middle[:, None]
    # The reader's crop reaches FACE_REACH distances to the neck.
    keypoints[:, NECK] = middle + torch.stack([torch.zeros_like(reach), reach / FACE_REACH], dim=-1)
    confidence[:, [*FACE_JOINTS, NECK]] = 1
    classes, controls = reader.read_expression(square, keypoints, confidence)
    assert classes.shape[-1] == len(CLASSES)
    return torch.cat([classes.softmax(-1), controls.sigmoid()], dim=-1).numpy()
