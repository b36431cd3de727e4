"""Two-dimensional poses lifted into space: what a bone is too short by on the picture, it points out of it."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..skeletons import CANONICAL25
from .character import Body

_INDEX = {name: i for i, name in enumerate(CANONICAL25.joints)}
_BODY = Body()
_LEG = _BODY.thigh + _BODY.shin
_TRUST = 0.05
"""Confidence from which a joint counts."""

_BONES = (
    ("shoulder", "elbow", _BODY.upper_arm, 0.6), ("elbow", "wrist", _BODY.forearm, 1.0),
    ("hip", "knee", _BODY.thigh, 1.0), ("knee", "ankle", _BODY.shin, -1.0),
)  # fmt: skip
"""Bones from the body outwards, usual length, and how far forwards they point where they look short: elbows and knees
bend one way only."""


@dataclass(frozen=True)
class Lifted:
    """As :class:`~temporal_gan.puppet.capture.Capture`: joints, directions of the head, pitch of the feet."""

    points: dict[str, np.ndarray]
    face: np.ndarray
    crown: np.ndarray
    toes: dict[str, np.ndarray]


def lift_openpose(keypoints: np.ndarray, confidence: np.ndarray, where: str) -> Lifted:
    """Depth from foreshortening, against each bone's greatest length in the clip.

    Joints that are missing for a while are interpolated; those never seen hang at rest.

    Args:
        keypoints: [N, 25, 2] canonical25, any unit, y down.
        confidence: [N, 25].
        where: the folder, for messages.
    Raises:
        UserError: neither shoulders nor neck, or nothing below them, is ever seen; or they are all in one place.
    """
    seen = {name: _filled(keypoints[:, i], confidence[:, i]) for name, i in _INDEX.items()}
    shoulders = [seen[f"{side}_shoulder"] for side in ("right", "left")]
    neck = seen["neck"] if seen["neck"] is not None else _middle(*shoulders)
    hip = seen["mid_hip"] if seen["mid_hip"] is not None else _middle(seen["right_hip"], seen["left_hip"])
    if neck is None or hip is None:
        raise UserError(
            f"{where}: the motion needs the neck (or both shoulders) and the hips in at least one frame"
        )
    unit = _picture_unit(seen, neck, hip)
    if unit < 1e-6:
        raise UserError(f"{where}: the person has no size: legs (or torso) are a single point in every frame")
    flat = {name: (points - hip) / unit for name, points in seen.items() if points is not None}
    travelled = (hip - hip[:1]) / unit
    neck = (neck - hip) / unit
    frames = len(neck)
    yaw = _yaw(flat, neck)
    across = np.stack([np.cos(yaw), np.zeros(frames), -np.sin(yaw)], axis=-1)
    # Seen from the side, short bones point to the side, and which is not known: leave those flat.
    front = np.tanh(3 * np.cos(yaw))
    points = {"hip": np.zeros((frames, 3)), "neck": np.column_stack([neck, np.zeros(frames)])}
    for side, sign in (("right", -1.0), ("left", 1.0)):
        points[f"{side}_shoulder"] = points["neck"] + sign * _BODY.shoulder_half * across
        points[f"{side}_hip"] = sign * _BODY.hip_half * across
        for start, end, usual, forwards in _BONES:
            bone = np.tile([0.15 * sign * usual, 0.95 * usual], (frames, 1))
            known = [flat.get(f"{side}_{joint}") for joint in (start, end)]
            if known[0] is not None and known[1] is not None:
                bone = known[1] - known[0]
            length = np.linalg.norm(bone, axis=-1)
            full = max(float(np.quantile(length, 0.95)), 0.85 * usual)
            # The last twentieth is noise.
            depth = np.sqrt(np.maximum(full**2 - (length / 0.95) ** 2, 0.0)) * forwards * front
            points[f"{side}_{end}"] = points[f"{side}_{start}"] + np.column_stack([bone, depth])
    for name in points:
        points[name] = points[name] + np.column_stack([travelled, np.zeros(frames)])
    face, crown = _head(flat, yaw)
    return Lifted(points, face, crown, {side: np.zeros(frames) for side in ("right", "left")})


def _filled(points: np.ndarray, confidence: np.ndarray) -> np.ndarray | None:
    """[N, 2] with gaps interpolated and a little smoothed; None where it is never seen."""
    there = np.flatnonzero(confidence > _TRUST)
    if not len(there):
        return None
    frames = np.arange(len(points))
    whole = np.stack([np.interp(frames, there, points[there, axis]) for axis in (0, 1)], axis=-1)
    padded = np.pad(whole, ((1, 1), (0, 0)), mode="edge")
    return np.asarray(0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:])


def _middle(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    return None if first is None or second is None else 0.5 * (first + second)


def _picture_unit(seen: dict[str, np.ndarray | None], neck: np.ndarray, hip: np.ndarray) -> float:
    """How much of the keypoints' unit is one picture unit of a standard body."""
    torso = float(np.quantile(np.linalg.norm(neck - hip, axis=-1), 0.95)) / (_BODY.torso - 1.6)
    lengths = []
    for side in ("right", "left"):
        chain = [seen[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
        bones = [
            np.linalg.norm(b - a, axis=-1)
            for a, b in zip(chain, chain[1:], strict=False)
            if a is not None and b is not None
        ]
        if len(bones) == 2:
            lengths.append(float(np.quantile(bones[0] + bones[1], 0.95)) / _LEG)
    return max(lengths, default=torso)


def _yaw(flat: dict[str, np.ndarray], neck: np.ndarray) -> np.ndarray:
    """[N] where the body faces: from how narrow the shoulders (or hips) look, the side from the nose."""
    for joint in ("shoulder", "hip"):
        right, left = flat.get(f"right_{joint}"), flat.get(f"left_{joint}")
        if right is not None and left is not None:
            wide = (left - right)[:, 0]
            full = max(float(np.quantile(np.abs(wide), 0.95)), 1e-6)
            ratio = np.clip(wide / (0.97 * full), -1.0, 1.0)
            aside = np.zeros(len(neck))
            if "nose" in flat:
                aside = np.tanh((flat["nose"] - neck)[:, 0] / 1.5)
            return np.asarray(np.arctan2(aside * np.sqrt(1 - ratio**2), ratio))
    return np.zeros(len(neck))


def _head(flat: dict[str, np.ndarray], yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the face looks and the head's top points, [N, 3]; with the body where the head's joints are missing."""
    frames = len(yaw)
    turn, pitch, roll = np.clip(yaw, -1.2, 1.2), np.zeros(frames), np.zeros(frames)
    for pair in ("ear", "eye"):
        right, left, nose = flat.get(f"right_{pair}"), flat.get(f"left_{pair}"), flat.get("nose")
        if right is None or left is None or nose is None:
            continue
        apart = max(float(np.quantile(np.linalg.norm(left - right, axis=-1), 0.95)), 1e-6)
        off = (nose - 0.5 * (left + right)) / apart
        turn = np.arcsin(np.clip(1.3 * off[:, 0], -0.93, 0.93))
        pitch = np.clip(1.2 * (off[:, 1] - np.median(off[:, 1])), -0.6, 0.6)
        line = left - right
        # In profile the two lie over each other and their line says nothing.
        sure = np.clip(np.linalg.norm(line, axis=-1) / apart * 2 - 0.6, 0.0, 1.0)
        roll = (
            sure * np.arctan2(line[:, 1], np.abs(line[:, 0]) + 1e-9) * np.sign(np.median(line[:, 0]) + 1e-12)
        )
        break
    face = np.stack([np.sin(turn) * np.cos(pitch), np.sin(pitch), np.cos(turn) * np.cos(pitch)], axis=-1)
    crown = np.stack([np.sin(roll), -np.cos(roll), np.zeros(frames)], axis=-1)
    return face, crown
