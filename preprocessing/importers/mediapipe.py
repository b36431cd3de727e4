"""MediaPipe's landmarks in a JSON file.

MediaPipe names no file format, so this is the project's own, with the names and values of its Tasks results::

    {"frames": [{"frame": 0,
                 "pose_landmarks": [{"x": 0.5, "y": 0.2, "z": -0.1, "visibility": 0.99}, ... 33 of them],
                 "face_blendshapes": {"jawOpen": 0.3, ...},
                 "hand_landmarks": {"left": [{"x": 0.6, "y": 0.5}, ... 21 of them], "right": [...]}}]}

``x`` and ``y`` are fractions of the picture. ``frame`` may be left out of all frames: they are then numbered from 0.
Every other field of a frame may be missing or null: it was not looked for, or not found.
"""

from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, to_canonical25

from ..label_track import LabelTrack
from .json_file import Element, read_json
from .places import within_frame

_MOST_FRAMES = 10**9
_CONTROLS = {
    "eyeBlinkLeft": ("eyeBlinkLeft",),
    "eyeBlinkRight": ("eyeBlinkRight",),
    "jawOpen": ("jawOpen",),
    "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
    "browInnerUp": ("browInnerUp",),
    "browDown": ("browDownLeft", "browDownRight"),
}
"""Control -> the blendshapes whose mean it is."""


def read_mediapipe(file: Path) -> dict[str, LabelTrack]:
    """Read one file (see above); the key is "".

    ``visibility`` is the confidence of a joint (1 where missing). Blendshapes become the controls of the same name;
    classes of expression are not read from them and stay unlabelled. A joint that is given, but outside the picture or
    of no visibility, is labelled as missing.

    Raises:
        UserError: file, and element or line.
    """
    root = read_json(file)
    frames = list(root.get("frames").items())
    if not frames:
        raise UserError(f"{file}: has no frames")
    numbered = [frame.find("frame") for frame in frames]
    numbers = [i if n is None else n.whole(0, _MOST_FRAMES) for i, n in enumerate(numbered)]
    if any(n is None for n in numbered) and any(n is not None for n in numbered):
        where = next(frame for frame, n in zip(frames, numbered, strict=True) if n is None)
        raise UserError(f"{where.where} has no 'frame', but others have; number all or none")
    for before, after, frame in zip(numbers, numbers[1:], frames[1:], strict=False):
        if after <= before:
            raise UserError(f"{frame.where}: frame {after} comes after frame {before}; each once, growing")
    body = np.stack([_landmarks(frame.find("pose_landmarks"), 33) for frame in frames])
    keypoints, confidence = within_frame(*to_canonical25(body[..., :2], body[..., 2], "mediapipe33"))
    _, told = to_canonical25(body[..., :2], body[..., 3], "mediapipe33")
    hands = np.stack([_hands(frame.find("hand_landmarks")) for frame in frames])
    seen, hands_told = hands[..., :3], hands[..., 3] > 0
    faces = [_controls(frame.find("face_blendshapes")) for frame in frames]
    intensity, sure = (np.stack(part) for part in zip(*faces, strict=True))
    return {
        "": LabelTrack(
            frame=np.array(numbers, np.int64),
            keypoints=keypoints,
            confidence=confidence,
            skeleton=CANONICAL25,
            expression=intensity if sure.any() else None,
            expression_confidence=sure if sure.any() else None,
            hands=seen if seen[..., 2].any() else None,
            missing=(told > 0) & (confidence == 0),
            hands_missing=hands_told & (seen[..., 2] == 0),
        )
    }


def _landmarks(element: Element | None, count: int) -> np.ndarray:
    """float32 [count, 4] x, y, confidence, and 1 where the point is given."""
    points = np.zeros((count, 4), np.float32)
    if element is None or element.value == []:
        return points
    landmarks = list(element.items())
    if len(landmarks) != count:
        raise element.wrong(f"a list of {count} landmarks")
    for number, landmark in enumerate(landmarks):
        visible = landmark.find("visibility")
        points[number] = (
            landmark.get("x").number(-1e3, 1e3),
            landmark.get("y").number(-1e3, 1e3),
            1.0 if visible is None else visible.number(0, 1),
            1.0,
        )
    return points


def _hands(element: Element | None) -> np.ndarray:
    hands = np.zeros((2, 21, 4), np.float32)
    if element is not None:
        for number, side in enumerate(("left", "right")):
            points = _landmarks(element.find(side), 21)
            places, confidence = within_frame(points[:, :2], points[:, 2])
            hands[number] = np.concatenate([places, confidence[:, None], points[:, 3:]], axis=-1)
    return hands


def _controls(element: Element | None) -> tuple[np.ndarray, np.ndarray]:
    intensity, sure = np.zeros(len(EXPRESSIONS), np.float32), np.zeros(len(EXPRESSIONS), np.float32)
    if element is not None:
        values = {name: value.number(0, 1) for name, value in element.fields()}
        for control, shapes in _CONTROLS.items():
            if all(shape in values for shape in shapes):
                index = EXPRESSIONS.index(control)
                intensity[index] = np.mean([values[shape] for shape in shapes])
                sure[index] = 1
    return intensity, sure
