"""Kinematics: pose channels -> maps of the body's parts and the places of its joints.

Bones live in three dimensions (x to the right, y down, z towards the viewer) and are drawn by an orthographic
camera that looks slightly down, so a leg that swings towards the viewer shortens as it should. Angles are posed
forwards; feet that stand and hands that touch something are then put where they belong by inverse kinematics.
"""

from dataclasses import dataclass

import numpy as np

from .affine import affine, along, apply, compose, place
from .channels import Pose
from .character import Body, Character
from .hanging import skirt_map, tail_maps
from .legs import (
    HEAD_PIVOT,
    SIDES,
    place_legs,
    project,
)
from .limbs import bone_direction, pitched, turned, two_bones
from .springs import SPRINGS, trail

_THROW_LIMIT = 3.5
_UP = np.array([[0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Figure:
    """A posed body.

    Attributes:
        maps: part name -> [T, 2, 3], material coordinates -> picture units.
        joints: joint name -> [T, 2], picture units; the joints of the head are the head's own business.
        depth: limb joint name -> [T], picture units towards the viewer, 0 at the body's axis.
        springs: name in springs.SPRINGS -> [T, 2], where what hangs there is, less where its root moved it, in
            picture units, within 3.5 of 0; ``joints["throw"]`` is that of the hair.
    """

    maps: dict[str, np.ndarray]
    joints: dict[str, np.ndarray]
    depth: dict[str, np.ndarray]
    springs: dict[str, np.ndarray]


def pose_figure(character: Character, pose: Pose, before: Pose | None) -> Figure:
    """Place every bone.

    Args:
        character: proportions.
        pose: channels over T frames.
        before: what came before, at any frame rate, in which the springs settle; None leaves out what they move
            (hair's throw, skirt and tail).
    """
    start = 0 if before is None else len(before["time"])
    whole = pose if before is None else {name: np.concatenate([before[name], pose[name]]) for name in pose}
    maps, joints, depth = _place_bones(character.body, whole)
    springs: dict[str, np.ndarray] = {}
    if before is not None:
        ends = {"head": maps["head"][:, :, 2], "hip": joints["mid_hip"]}
        points = np.stack([ends[spring.joint] for spring in SPRINGS.values()], axis=1)
        moved = trail(points, whole["time"], tuple(SPRINGS.values())) * whole["looseness"][:, None, None]
        limited = _THROW_LIMIT * np.tanh(moved / _THROW_LIMIT)
        springs = {name: limited[start:, i] for i, name in enumerate(SPRINGS)}
    if start:
        maps, joints, depth = ({name: v[start:] for name, v in d.items()} for d in (maps, joints, depth))
    if before is not None:
        joints["throw"] = springs["hair"]
        maps["skirt"] = skirt_map(character, maps["torso"], joints, springs["skirt"])
        if character.tail:
            maps |= tail_maps(joints["mid_hip"], pose, springs["tail"])
    return Figure(maps, joints, depth, springs)


def _place_bones(
    body: Body, pose: Pose
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    maps, joints, depth = place_legs(body, pose)
    hip, yaw, bow, lean = joints["mid_hip"], pose["yaw"], pose["bow"], pose["lean"]
    frames = len(yaw)
    stretch = 1 + pose["stretch"] + 0.006 * pose["breath"]

    def above(point: np.ndarray) -> np.ndarray:
        """Body space [T, 3], from the hips, bowed and leant -> picture."""
        bowed = turned(pitched(point, bow), yaw)
        return hip + _rotated(project(bowed), lean)

    spine = above(np.repeat(_UP, frames, axis=0)) - hip
    unit = spine / np.linalg.norm(spine, axis=-1, keepdims=True)
    down, right = -spine * stretch[:, None], np.stack([-unit[:, 1], unit[:, 0]], axis=-1)
    upright = affine(right, down, hip)
    width = np.sqrt(np.cos(yaw) ** 2 + (0.68 * np.sin(yaw)) ** 2) * (1 + 0.012 * pose["breath"])
    maps["torso"] = affine(right * width[:, None], down, hip)
    maps["front"] = compose(maps["torso"], place(frames, x=2.6 * np.sin(yaw) / width))
    # Level with the shoulders, where pose estimators put it, and just below the chin.
    neck = apply(upright, np.array([[0.0, 1.6 - body.torso]]))[:, 0]
    joints["neck"] = neck
    for side, sign in SIDES:
        chain = _arm(body, pose, side, sign, stretch)
        shoulder, elbow, wrist = (turned(pitched(point, bow), yaw) for point in chain)
        at = hip + _rotated(project(shoulder), lean)
        joints[f"{side}_shoulder"], depth[f"{side}_shoulder"] = at, shoulder[:, 2]
        for name, start, end, length in (
            ("elbow", shoulder, elbow, body.upper_arm), ("wrist", elbow, wrist, body.forearm),
        ):  # fmt: skip
            flat = _rotated(project(end - start), lean)
            # A limb seen end on has no direction on the picture, and would spin: keep some of its length.
            seen = np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-6)
            least = 0.4 * length * (1 - pose[f"{side}_reach"][:, None])
            at = at + flat / seen * np.maximum(seen, least)
            joints[f"{side}_{name}"], depth[f"{side}_{name}"] = at, end[:, 2]
        wrist_at = joints[f"{side}_wrist"]
        lower = wrist_at - joints[f"{side}_elbow"]
        maps[f"{side}_upper_arm"] = along(joints[f"{side}_shoulder"], joints[f"{side}_elbow"], body.upper_arm)
        maps[f"{side}_forearm"] = along(joints[f"{side}_elbow"], joints[f"{side}_wrist"], body.forearm)
        maps[f"{side}_hand"] = place(
            frames, wrist_at[:, 0], wrist_at[:, 1], np.arctan2(-lower[:, 0], lower[:, 1])
        )

    tilt = np.arctan2(unit[:, 0], -unit[:, 1])
    # Seen from the side a nod turns the head on the picture.
    turn = 0.6 * tilt + pose["head_roll"] + 0.5 * pose["head_pitch"] * np.sin(pose["head_yaw"])
    neck_top = apply(upright, np.array([[0.0, -body.torso - 1.6]]))[:, 0]
    nod = 0.9 * pose["head_pitch"]
    forward = 2.0 * pose["head_pitch"] * np.sin(yaw)
    pivot = place(
        frames, neck_top[:, 0] + forward, neck_top[:, 1] + nod, turn, body.head_scale, body.head_scale
    )
    maps["head"] = compose(pivot, place(frames, y=-HEAD_PIVOT))
    maps["neck"] = along(neck, neck_top + np.stack([forward, nod - 2], -1), 5.0)
    return maps, joints, depth


def _arm(
    body: Body, pose: Pose, side: str, sign: float, stretch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shoulder, elbow and wrist [T, 3] in body space, from the hips."""
    zero = np.zeros_like(stretch)
    twist, reach = pose["twist"], pose[f"{side}_reach"][:, None]
    level = (-body.torso + 1.7 - pose["shrug"]) * stretch
    shoulder = turned(np.stack([zero + sign * body.shoulder_half, level, zero], axis=-1), twist)
    swing, out = pose[f"{side}_arm_swing"], pose[f"{side}_arm_out"]
    lower = bone_direction(swing + pose[f"{side}_elbow_bend"], out + pose[f"{side}_elbow_out"], sign)
    elbow = shoulder + body.upper_arm * turned(bone_direction(swing, out, sign), twist)
    wrist = elbow + body.forearm * turned(lower, twist)
    length = body.upper_arm + body.forearm
    across = sign * length * pose[f"{side}_reach_out"]
    drop = length * pose[f"{side}_reach_down"]
    # A hand that reaches in front of the chest goes as far forwards as the arm allows, not further.
    beside = (across - sign * body.shoulder_half) ** 2 + drop**2
    allowed = np.sqrt(np.maximum((0.96 * length) ** 2 - beside, 0.01))
    ahead = np.minimum(length * pose[f"{side}_reach_forward"], allowed)
    target = turned(np.stack([across, level + drop, ahead], axis=-1), twist)
    goal = reach * target + (1 - reach) * wrist
    pole = elbow - shoulder + reach * turned(np.stack([zero + 3 * sign, zero + 5, zero - 4], axis=-1), twist)
    middle, end = two_bones(shoulder, goal, pole, body.upper_arm, body.forearm)
    # Straight arms have no side to bend to; the angles alone say where they are.
    free = reach == 0
    return shoulder, np.where(free, elbow, middle), np.where(free, wrist, end)


def _rotated(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """[T, 2] turned clockwise on screen by [T]."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack(
        [cos * points[:, 0] - sin * points[:, 1], sin * points[:, 0] + cos * points[:, 1]], axis=-1
    )
