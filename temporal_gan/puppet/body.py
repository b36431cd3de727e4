"""Forward kinematics: pose channels -> maps of the body's parts and the places of its joints.

The limbs live in three dimensions (x to the right, y down, z towards the viewer) and are drawn by an
orthographic camera that looks slightly down, so a leg that swings towards the viewer shortens as it should.
"""

from dataclasses import dataclass

import numpy as np

from .affine import affine, apply, compose, place
from .character import Body, Character
from .motion import Pose

CENTRE, GROUND = 46.5, 87.0
"""Where a standing figure's mid-line and soles are, in picture units."""

CAMERA_PITCH = 0.17
TAIL_SEGMENTS, TAIL_LENGTH = 10, 2.8
HEAD_PIVOT = 10.6
"""From the middle of the head down to the point it turns about."""

SIDES = (("right", -1.0), ("left", 1.0))


@dataclass(frozen=True)
class Figure:
    """A posed body.

    Attributes:
        maps: part name -> [T, 2, 3], material coordinates -> picture units.
        joints: joint name -> [T, 2], picture units; the joints of the head are the head's own business.
        depth: limb joint name -> [T], picture units towards the viewer, 0 at the body's axis.
    """

    maps: dict[str, np.ndarray]
    joints: dict[str, np.ndarray]
    depth: dict[str, np.ndarray]


def pose_figure(character: Character, pose: Pose, trailing: Pose | None) -> Figure:
    """Place every bone.

    Args:
        character: proportions.
        pose: channels over T frames.
        trailing: the pose a moment earlier, which hair, skirt and tail follow; None leaves those three out.
    """
    body = character.body
    maps: dict[str, np.ndarray] = {}
    joints: dict[str, np.ndarray] = {}
    depth: dict[str, np.ndarray] = {}
    frames = len(pose["yaw"])
    yaw, lean = pose["yaw"], pose["lean"]
    legs = {side: _leg(body, pose, side, sign, yaw) for side, sign in SIDES}
    drop = _soft_maximum(np.stack([leg["lowest"] for leg in legs.values()]))
    hip = np.stack([CENTRE + pose["root_x"], GROUND - pose["jump"] - drop * np.cos(CAMERA_PITCH)], axis=-1)
    joints["mid_hip"] = hip
    for side, _ in SIDES:
        leg = legs[side]
        for joint in ("hip", "knee", "ankle"):
            joints[f"{side}_{joint}"] = hip + _project(leg[joint])
            depth[f"{side}_{joint}"] = leg[joint][:, 2]
        maps[f"{side}_thigh"] = _along(joints[f"{side}_hip"], joints[f"{side}_knee"], body.thigh)
        maps[f"{side}_shin"] = _along(joints[f"{side}_knee"], joints[f"{side}_ankle"], body.shin)
        maps[f"{side}_shoe"] = _shoe_map(joints[f"{side}_ankle"], yaw, leg["pitch"])

    stretch = 1 + pose["stretch"] + 0.006 * pose["breath"]
    upright = place(frames, hip[:, 0], hip[:, 1], lean, 1.0, stretch)
    width = np.sqrt(np.cos(yaw) ** 2 + (0.68 * np.sin(yaw)) ** 2) * (1 + 0.012 * pose["breath"])
    maps["torso"] = place(frames, hip[:, 0], hip[:, 1], lean, width, stretch)
    maps["front"] = compose(maps["torso"], place(frames, x=2.6 * np.sin(yaw) / width))
    # Level with the shoulders, where pose estimators put it, and just below the chin.
    neck = apply(upright, np.array([[0.0, 1.6 - body.torso]]))[:, 0]
    joints["neck"] = neck
    shoulder_yaw = yaw + pose["twist"]
    for side, sign in SIDES:
        across = sign * body.shoulder_half * np.cos(shoulder_yaw)
        lift = -body.torso + 1.7 - pose["shrug"] + 0.1 * sign * body.shoulder_half * np.sin(shoulder_yaw)
        shoulder = apply(upright, np.stack([across, lift], axis=-1)[:, None])[:, 0]
        (upper, lower), (upper_z, lower_z) = _arm_directions(pose, side, sign, shoulder_yaw, lean)
        elbow = shoulder + body.upper_arm * upper
        wrist = elbow + body.forearm * lower
        joints |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}
        shoulder_z = -sign * body.shoulder_half * np.sin(shoulder_yaw)
        elbow_z = shoulder_z + body.upper_arm * upper_z
        depth |= {
            f"{side}_shoulder": shoulder_z,
            f"{side}_elbow": elbow_z,
            f"{side}_wrist": elbow_z + body.forearm * lower_z,
        }
        maps[f"{side}_upper_arm"] = _along(shoulder, elbow, body.upper_arm)
        maps[f"{side}_forearm"] = _along(elbow, wrist, body.forearm)
        maps[f"{side}_hand"] = place(frames, wrist[:, 0], wrist[:, 1], np.arctan2(-lower[:, 0], lower[:, 1]))

    turn = lean * 0.5 + pose["head_roll"] + 0.12 * pose["head_pitch"] * np.sin(pose["head_yaw"])
    neck_top = apply(upright, np.array([[0.0, -body.torso - 1.6]]))[:, 0]
    nod = 0.9 * pose["head_pitch"]
    forward = 2.0 * pose["head_pitch"] * np.sin(yaw)
    pivot = place(
        frames, neck_top[:, 0] + forward, neck_top[:, 1] + nod, turn, body.head_scale, body.head_scale
    )
    maps["head"] = compose(pivot, place(frames, y=-HEAD_PIVOT))
    maps["neck"] = _along(neck, neck_top + np.stack([forward, nod - 2], -1), 5.0)

    for side, _ in SIDES:
        for toe, at in (("big_toe", (4.0, 1.6)), ("small_toe", (3.2, 1.9)), ("heel", (-1.9, 1.6))):
            joints[f"{side}_{toe}"] = apply(maps[f"{side}_shoe"], np.array([at]))[:, 0]
    if trailing is not None:
        earlier = pose_figure(character, trailing, None)
        throw = (earlier.maps["head"][:, :, 2] - maps["head"][:, :, 2]) * pose["looseness"][:, None]
        joints["throw"] = 3.5 * np.tanh(throw / 3.5)
        hem = (earlier.joints["mid_hip"] - hip)[:, 0]
        spread = np.abs(joints["right_knee"][:, 0] - joints["left_knee"][:, 0])
        thighs = 0.5 * (joints["right_knee"] + joints["left_knee"])[:, 0] - hip[:, 0]
        flare = 1 + 0.012 * spread + 0.02 * np.abs(joints["throw"][:, 1])
        sway = 0.25 * hem + 0.045 * thighs
        maps["skirt"] = place(frames, hip[:, 0], hip[:, 1], lean, width * flare, stretch, sway)
        if character.tail:
            maps |= _tail_maps(hip, yaw, pose, joints["throw"])
    return Figure(maps, joints, depth)


def _direction(swing: np.ndarray, out: np.ndarray, sign: float, yaw: np.ndarray) -> np.ndarray:
    """Unit vector [T, 3] of a hanging bone swung forward, moved out to its side, turned with the body."""
    x, y, z = sign * np.sin(out) * np.cos(swing), np.cos(out) * np.cos(swing), np.sin(swing)
    return np.stack([x * np.cos(yaw) + z * np.sin(yaw), y, z * np.cos(yaw) - x * np.sin(yaw)], axis=-1)


def _project(vector: np.ndarray) -> np.ndarray:
    y = vector[:, 1] * np.cos(CAMERA_PITCH) + vector[:, 2] * np.sin(CAMERA_PITCH)
    return np.stack([vector[:, 0], y], axis=-1)


def _soft_maximum(values: np.ndarray, sharpness: float = 2.5) -> np.ndarray:
    """Smooth maximum over the first axis: the weight passes from one foot to the other without a jerk."""
    top = values.max(axis=0)
    return np.asarray(top + np.log(np.exp(sharpness * (values - top)).mean(axis=0)) / sharpness)


def _leg(body: Body, pose: Pose, side: str, sign: float, yaw: np.ndarray) -> dict[str, np.ndarray]:
    swing, out, knee = pose[f"{side}_leg_swing"], pose[f"{side}_leg_out"], pose[f"{side}_knee"]
    zero = np.zeros_like(yaw)
    hip = sign * body.hip_half * np.stack([np.cos(yaw), zero, -np.sin(yaw)], axis=-1)
    knee_at = hip + body.thigh * _direction(swing, out, sign, yaw)
    ankle = knee_at + body.shin * _direction(swing - knee, out, sign, yaw)
    pitch = pose[f"{side}_foot_pitch"]
    sole = body.sole * np.cos(pitch)
    lowest = ankle[:, 1] + _soft_maximum(np.stack([sole - 4.0 * np.sin(pitch), sole + 1.8 * np.sin(pitch)]))
    return {"hip": hip, "knee": knee_at, "ankle": ankle, "lowest": lowest, "pitch": pitch}


def _arm_directions(
    pose: Pose, side: str, sign: float, yaw: np.ndarray, lean: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Directions of upper arm and forearm on the picture, [T, 2], and towards the viewer, [T]."""
    swing, out = pose[f"{side}_arm_swing"], pose[f"{side}_arm_out"]
    bend, elbow_out = pose[f"{side}_elbow_bend"], pose[f"{side}_elbow_out"]
    directions = (_direction(swing, out, sign, yaw), _direction(swing + bend, out + elbow_out, sign, yaw))
    cos, sin = np.cos(lean), np.sin(lean)
    turned = []
    for direction in directions:
        flat = _project(direction)
        flat = np.stack([cos * flat[:, 0] - sin * flat[:, 1], sin * flat[:, 0] + cos * flat[:, 1]], axis=-1)
        # A limb seen end on would have no direction on the picture, and would spin: keep some of its length.
        length = np.linalg.norm(flat, axis=-1, keepdims=True)
        turned.append(flat / np.maximum(length, 1e-6) * np.maximum(length, 0.4))
    return turned, [direction[:, 2] for direction in directions]


def _along(start: np.ndarray, end: np.ndarray, length: float) -> np.ndarray:
    """Map of a limb whose material y axis runs from ``start`` (0) to ``end`` (``length``), width kept."""
    y_axis = (end - start) / length
    unit = y_axis / np.maximum(np.linalg.norm(y_axis, axis=-1, keepdims=True), 1e-6)
    return affine(np.stack([unit[:, 1], -unit[:, 0]], axis=-1), y_axis, start)


def _shoe_map(ankle: np.ndarray, yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Map of a shoe drawn from its side, as long as the outline of a foot turned by ``yaw`` would look."""
    length = np.sqrt(np.sin(yaw) ** 2 + (0.6 * np.cos(yaw)) ** 2)
    dip = 0.7 * np.cos(yaw) * np.sin(CAMERA_PITCH)
    facing = np.sin(yaw)
    x_axis = np.stack([length * np.cos(pitch * facing), dip - np.sin(pitch) * length], axis=-1)
    y_axis = np.stack([np.sin(pitch) * facing, np.cos(pitch)], axis=-1)
    return affine(x_axis, y_axis, ankle)


def _tail_maps(hip: np.ndarray, yaw: np.ndarray, pose: Pose, throw: np.ndarray) -> dict[str, np.ndarray]:
    """A chain that leaves the hips backwards, sags, then curls up, with a wave running to its tip."""
    start = hip + np.stack([-1.5 - 2.5 * np.sin(yaw), np.full_like(yaw, -0.5)], axis=-1)
    maps = {}
    for i in range(TAIL_SEGMENTS):
        along = i / (TAIL_SEGMENTS - 1)
        wave = 0.34 * along**0.7 * np.sin(pose["tail_beat"] - 2.4 * along) * pose["looseness"]
        rise = (1.15 + 2.2 * pose["tail_curl"]) * along * 1.7
        angle = 1.35 + rise + wave + 0.09 * along * (throw[:, 0] + throw[:, 1])
        step = np.stack([-np.sin(angle), np.cos(angle)], axis=-1) * TAIL_LENGTH
        maps[f"tail_{i}"] = _along(start, start + step, TAIL_LENGTH)
        start = start + step
    return maps
