"""The person in a BVH motion file: joints by whatever names the file gives them, and where they are over time."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bvh_file import CHANNELS, Joint, parse_bvh
from .errors import UserError

_SIDED = {
    "shoulder": "{s}arm {s}uparm {s}upperarm {s}humerus {s}shldr {s}shoulder",
    "elbow": "{s}forearm {s}lowarm {s}lowerarm {s}radius {s}elbow",
    "wrist": "{s}hand {s}wrist",
    "hip": "{s}upleg {s}thigh {s}femur {s}upperleg {s}hip",
    "knee": "{s}leg {s}lowleg {s}lowerleg {s}shin {s}tibia {s}calf {s}knee",
    "ankle": "{s}foot {s}ankle",
    "toe": "{s}toebase {s}toe {s}toes {s}toe0",
}
JOINT_NAMES: dict[str, tuple[str, ...]] = {
    "hip": ("hips", "hip", "pelvis", "root"),
    "neck": ("neck", "lowerneck", "neck1"),
    "head": ("head", "upperneck"),
}
"""Joint -> names programs use (Mixamo, CMU, Biovision, Biped, Blender), the first one found counts. Case, spaces,
dots, dashes, underscores and prefixes such as ``mixamorig:`` or ``Bip01`` do not matter; a side may be written
``left``, ``l`` in front, or ``l`` at the end."""
for _side, _initial in (("right", "r"), ("left", "l")):
    for _joint, _pattern in _SIDED.items():
        _names = [_pattern.format(s=_side).split(), _pattern.format(s=_initial).split()]
        _names.append([name + _initial for name in _pattern.format(s="").split()])
        JOINT_NAMES[f"{_side}_{_joint}"] = tuple(name for trio in zip(*_names, strict=True) for name in trio)
OPTIONAL_JOINTS = ("right_toe", "left_toe")


@dataclass(frozen=True)
class Take:
    """A person's performance; y is up, units are the file's own.

    Attributes:
        fps: frames per second.
        points: joint of JOINT_NAMES -> float64 [N, 3].
        face: [N, 3] unit vectors the face looks along.
        crown: [N, 3] unit vectors from the head upwards.
        toes: side -> [N] pitch of the foot against its rest pose, radians, toes up positive; 0 without toes.
    """

    fps: float
    points: dict[str, np.ndarray]
    face: np.ndarray
    crown: np.ndarray
    toes: dict[str, np.ndarray]


def read_bvh(path: Path) -> Take:
    """Read a BVH file with a person in it.

    Raises:
        UserError: file, line and fault; or the joints that none of its names stand for.
    """
    joints, frame_sec, values = parse_bvh(path)
    found = person_joints([joint.name for joint in joints], path)
    rest, _ = _kinematics(joints, np.zeros((1, values.shape[1])), rest=True)
    places, turns = _kinematics(joints, values, rest=False)
    up = rest[found["head"]][0] - rest[found["hip"]][0]
    across = rest[found["left_hip"]][0] - rest[found["right_hip"]][0]
    forward = np.cross(across, up)
    if np.linalg.norm(forward) < 1e-9:
        raise UserError(f"{path}: hips and head lie on one line in the rest pose; cannot tell its front")
    up, forward = up / np.linalg.norm(up), forward / np.linalg.norm(forward)
    points = {name: places[index] for name, index in found.items()}
    head = turns[found["head"]]
    face, crown = head @ forward, head @ np.cross(forward, across / np.linalg.norm(across))
    toes: dict[str, np.ndarray] = {}
    upright = _to_y_up(points["head"] - points["hip"])
    points = {name: v @ upright.T for name, v in points.items()}
    for side in ("right", "left"):
        toes[side] = np.zeros(len(values))
        if f"{side}_toe" in found:
            ankle, toe = found[f"{side}_ankle"], found[f"{side}_toe"]
            level = _elevation((rest[toe] - rest[ankle]) @ upright.T)
            toes[side] = _elevation(points[f"{side}_toe"] - points[f"{side}_ankle"]) - level
    for side in ("right", "left"):
        for start, end in (("hip", "knee"), ("knee", "ankle")):
            if np.linalg.norm(points[f"{side}_{end}"][0] - points[f"{side}_{start}"][0]) < 1e-9:
                raise UserError(f"{path}: the bone from {side} {start} to {side} {end} has no length")
    return Take(1.0 / frame_sec, points, face @ upright.T, crown @ upright.T, toes)


def person_joints(names: list[str], path: Path) -> dict[str, int]:
    """Joint of JOINT_NAMES -> index among the file's names. Raises UserError naming those that are missing."""
    plain: dict[str, int] = {}
    for index, name in enumerate(names):
        plain.setdefault(_plain(name), index)
    found: dict[str, int] = {}
    for joint, candidates in JOINT_NAMES.items():
        for candidate in candidates:
            if candidate in plain:
                found[joint] = plain[candidate]
                break
    missing = [joint for joint in JOINT_NAMES if joint not in found and joint not in OPTIONAL_JOINTS]
    if missing:
        example = ", ".join(f"{joint} ({'/'.join(JOINT_NAMES[joint][:3])})" for joint in missing)
        raise UserError(f"{path}: no joint is named as one of these: {example}")
    return found


def _kinematics(
    joints: list[Joint], values: np.ndarray, rest: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Places [N, 3] and turns [N, 3, 3] of all joints."""
    places: list[np.ndarray] = []
    turns: list[np.ndarray] = []
    column = 0
    for joint in joints:
        count = len(joint.channels)
        numbers = values[:, column : column + count]
        column += count
        place = np.tile(np.array(joint.offset), (len(values), 1))
        turn = np.tile(np.eye(3), (len(values), 1, 1))
        moved = np.zeros_like(place)
        for i, channel in enumerate(joint.channels):
            axis, kind = CHANNELS[channel]
            if kind == "position":
                moved[:, axis] = numbers[:, i]
            else:
                turn = turn @ _axis_turn(axis, np.radians(numbers[:, i]))
        if not rest and "xposition" in joint.channels:
            # Files write the root's own place; joints with positions of their own replace their offset too.
            place = moved
        if joint.parent >= 0:
            parent_turn = turns[joint.parent]
            place = places[joint.parent] + np.einsum("tij,tj->ti", parent_turn, place)
            turn = parent_turn @ turn
        places.append(place)
        turns.append(turn)
    return places, turns


def _axis_turn(axis: int, angle: np.ndarray) -> np.ndarray:
    """[N, 3, 3] right-handed rotation about x, y or z."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.zeros((len(angle), 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn[:, axis, axis] = 1.0
    turn[:, first, first] = turn[:, second, second] = cos
    turn[:, first, second], turn[:, second, first] = -sin, sin
    return turn


def _to_y_up(spine: np.ndarray) -> np.ndarray:
    """[3, 3] from the file's axes to y up: some programs write z up."""
    mean = spine.mean(axis=0)
    if abs(mean[2]) > abs(mean[1]):
        return np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    return np.eye(3)


def _elevation(vector: np.ndarray) -> np.ndarray:
    length = np.maximum(np.linalg.norm(vector, axis=-1), 1e-9)
    return np.asarray(np.arcsin(np.clip(vector[:, 1] / length, -1.0, 1.0)))


def _plain(name: str) -> str:
    bare = re.sub(r"[\s_.\-]", "", name.rpartition(":")[2].lower())
    return re.sub(r"^(mixamorig\d*|bip\d+|character\d+|def)(?=.)", "", bare)
