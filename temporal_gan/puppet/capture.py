"""A user's own motion for the puppet: BVH files and OpenPose folders, carried over bone by bone.

Directions of bones are kept and a character's own lengths put in; the pose is turned so that the figure faces the
viewer at least from its side, because it has no back; what the hips travel becomes ``travel``.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..bvh import read_bvh
from ..errors import UserError
from ..pose_files import read_openpose_folder
from .channels import CHANNELS, HEAD_PITCH_LIMIT, HEAD_ROLL_LIMIT, HEAD_YAW_LIMIT, Pose, within
from .character import Body
from .lifting import lift_openpose
from .limbs import bone_angles, pitched, turned

SOURCES = ("bvh", "openpose")
OPENPOSE_FPS = 24.0
"""OpenPose folders do not say their rate."""

_LEG = Body().thigh + Body().shin
_VIEW = 0.6
"""A motion that shows the figure's back is turned until it faces here in the mean."""


@dataclass(frozen=True)
class Capture:
    """A performance in space: x to the viewer's right, y down, z towards the viewer, unit: one leg of standard length.

    Attributes:
        fps: frames per second.
        points: joint -> float64 [N, 3], picture units of a standard body.
        face: unit vectors [N, 3] the face looks along.
        crown: unit vectors [N, 3] from the head upwards.
        toes: side -> [N] pitch of the foot, radians, toes up positive.
    """

    fps: float
    points: dict[str, np.ndarray]
    face: np.ndarray
    crown: np.ndarray
    toes: dict[str, np.ndarray]

    @property
    def duration_sec(self) -> float:
        """From the first frame to the last."""
        return (len(self.face) - 1) / self.fps

    def pose(self, time: np.ndarray, amplitude: np.ndarray) -> Pose:
        """Channels at any times; outside the file it goes back and forth without repeating an end.

        Args:
            time: float [T], seconds.
            amplitude: float [T], a factor on how far arms and torso are from hanging down upright.
        """
        at = self._frames_at(time)
        points = {name: _sampled(values, at) for name, values in self.points.items()}
        face, crown = _sampled(self.face, at), _sampled(self.crown, at)
        # The view is chosen for the whole file, so that it does not depend on where a clip is cut.
        view, facing = self._view(), _facing(points)
        # It has no back: one who turns further than to the side is seen from the other side again.
        yaw = np.arcsin(0.995 * np.sin(facing + view))
        turn = yaw - facing
        points = {name: turned(values, turn) for name, values in points.items()}
        zero = np.zeros_like(yaw)
        pose = dict.fromkeys(CHANNELS, zero)
        pose |= {"yaw": yaw, "heading": yaw, "looseness": zero + 1}
        spine = _unit(turned(points["neck"] - points["hip"], -yaw))
        bow = np.arctan2(spine[:, 2], -spine[:, 1]) * amplitude
        lean = np.arctan2(spine[:, 0], np.hypot(spine[:, 1], spine[:, 2])) * np.cos(yaw) * amplitude
        across = turned(points["left_shoulder"] - points["right_shoulder"], -yaw)
        twist = within(_wrapped(np.arctan2(-across[:, 2], across[:, 0])), 1.0)
        pose |= {"bow": within(bow, 1.0), "lean": within(lean, 0.7), "twist": twist}
        for side, sign in (("right", -1.0), ("left", 1.0)):
            joints = [points[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
            bones = [_unit(b - a) for a, b in zip(joints, joints[1:], strict=False)]
            bones = [turned(pitched(turned(_upright(b, lean), -yaw), -pose["bow"]), -twist) for b in bones]
            (swing, out), (low_swing, low_out) = (bone_angles(bone, sign) for bone in bones)
            pose |= {f"{side}_arm_swing": swing, f"{side}_arm_out": out}
            pose |= {f"{side}_elbow_bend": low_swing - swing, f"{side}_elbow_out": low_out - out}
            joints = [points[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
            bones = [turned(_unit(b - a), -yaw) for a, b in zip(joints, joints[1:], strict=False)]
            (swing, out), (low_swing, low_out) = (bone_angles(bone, sign) for bone in bones)
            pose |= {f"{side}_leg_swing": swing, f"{side}_leg_out": out}
            pose |= {f"{side}_knee": swing - low_swing, f"{side}_knee_out": low_out - out}
            pose[f"{side}_foot_pitch"] = within(_sampled(self.toes[side][:, None], at)[:, 0], 0.8)
            pose[f"{side}_foot_turn"] = zero + 0.15
        face, crown = turned(face, turn), turned(crown, turn)
        pose["head_yaw"] = within(np.arctan2(face[:, 0], face[:, 2]), HEAD_YAW_LIMIT)
        pose["head_pitch"] = within(np.arcsin(np.clip(face[:, 1], -1, 1)), HEAD_PITCH_LIMIT)
        tilt = np.arctan2(crown[:, 0], -crown[:, 1]) - 0.6 * (lean + bow * np.sin(yaw))
        pose["head_roll"] = within(tilt, HEAD_ROLL_LIMIT)
        feet = np.maximum(points["right_ankle"][:, 1], points["left_ankle"][:, 1])
        # Below a thirtieth of a leg it is the noise of the file.
        pose["jump"] = np.maximum(self._floor() - feet - _LEG / 30, 0.0)
        pose["travel"] = turned(_sampled(self.points["hip"], at), zero + view)[:, 0]
        return pose

    def _frames_at(self, time: np.ndarray) -> np.ndarray:
        last = len(self.face) - 1
        if last == 0:
            return np.zeros(len(time))
        frame = np.mod(time * self.fps, 2 * last)
        return np.minimum(frame, 2 * last - frame)

    def _view(self) -> float:
        facing = _facing(self.points)
        if np.abs(facing).max() <= 0.5 * np.pi:
            return 0.0
        return float(_VIEW - np.arctan2(np.sin(facing).mean(), np.cos(facing).mean()))

    def _floor(self) -> float:
        lowest = np.maximum(self.points["right_ankle"][:, 1], self.points["left_ankle"][:, 1])
        return float(np.quantile(lowest, 0.9))


def read_capture(source: str) -> Capture:
    """``bvh:FILE`` or ``openpose:FOLDER`` -> the performance. Raises UserError naming the file and its fault."""
    kind, _, path = source.partition(":")
    if not path:
        raise UserError(f"puppet motion {source!r}: expected {kind}:PATH")
    changed = Path(path).stat().st_mtime_ns if Path(path).exists() else 0
    return _read(kind, path, changed)


@lru_cache(maxsize=32)
def _read(kind: str, path: str, changed: int) -> Capture:
    """Read once, and again after the file has changed."""
    return _from_bvh(path) if kind == "bvh" else _from_openpose(path)


def _from_bvh(path: str) -> Capture:
    take = read_bvh(Path(path))
    # BVH has y upwards.
    flip = np.array([1.0, -1.0, 1.0])
    points = {name: take.points[name] * flip for name in take.points}
    leg = np.mean([_leg_length(points, side) for side in ("right", "left")])
    points = {name: values * (_LEG / leg) for name, values in points.items()}
    return Capture(take.fps, points, take.face * flip, take.crown * flip, take.toes)


def _from_openpose(path: str) -> Capture:
    sequence = read_openpose_folder(path, OPENPOSE_FPS)
    lifted = lift_openpose(sequence.keypoints.astype(float), sequence.confidence, path)
    return Capture(OPENPOSE_FPS, lifted.points, lifted.face, lifted.crown, lifted.toes)


def _leg_length(points: dict[str, np.ndarray], side: str) -> float:
    hip, knee, ankle = (points[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    return float((np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)).mean())


def _facing(points: dict[str, np.ndarray]) -> np.ndarray:
    """[T] where the hips face, continuous in time."""
    across = points["left_hip"] - points["right_hip"]
    return np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))


def _sampled(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    left = np.minimum(at.astype(np.int64), max(len(values) - 2, 0))
    right = np.minimum(left + 1, len(values) - 1)
    part = (at - left)[:, None]
    return (1 - part) * values[left] + part * values[right]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


def _upright(vector: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """Undo the tilt on the picture."""
    cos, sin = np.cos(lean), np.sin(lean)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)


def _wrapped(angle: np.ndarray) -> np.ndarray:
    return np.asarray(np.angle(np.exp(1j * angle)))
