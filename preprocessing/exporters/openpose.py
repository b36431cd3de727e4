"""Labels -> OpenPose's JSON, a file a frame, 25 joints of BODY_25 in pixels."""

import json
from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, from_canonical25

from ..label_track import LabelTrack


def write_openpose(folder: Path, name: str, track: LabelTrack, size: tuple[int, int]) -> None:
    """Write one clip's frames as ``<name>_000000000012_keypoints.json`` into a new folder.

    The format has no place for expression, depth layers, drawings held, time and origin; a store has no hands and face
    points for it.

    Args:
        folder: to be made.
        name: of the clip.
        track: in canonical25.
        size: width and height in pixels.
    Raises:
        UserError: another skeleton.
    """
    if track.skeleton != CANONICAL25:
        raise UserError(
            f"{name}: OpenPose knows no skeleton {track.skeleton.name!r}; use --format coco, csv or charactergan"
        )
    folder.mkdir(parents=True)
    keypoints, confidence = from_canonical25(
        track.keypoints.astype(np.float64), track.confidence.astype(np.float64), "body25", 25
    )
    bodies = np.concatenate([keypoints * size, confidence[..., None]], axis=-1)
    bodies[confidence == 0] = 0
    for number, frame in enumerate(track.frame):
        person = {
            "person_id": [-1],
            "pose_keypoints_2d": bodies[number].ravel().tolist(),
            "face_keypoints_2d": [],
            "hand_left_keypoints_2d": [],
            "hand_right_keypoints_2d": [],
        }
        people = [person] if confidence[number].any() else []
        data = {"version": 1.3, "people": people, "canvas_width": size[0], "canvas_height": size[1]}
        file = folder / f"{name}_{frame:012d}_keypoints.json"
        file.write_text(json.dumps(data), encoding="utf-8")
