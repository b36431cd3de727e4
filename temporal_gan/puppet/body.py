"""Kinematics: pose channels -> maps of the body's parts and the places of its joints.

Bones live in three dimensions (x to the right, y down, z towards the viewer) and are drawn by an orthographic
camera that looks slightly down, so a leg that swings towards the viewer shortens as it should. Angles are posed
forwards; feet that stand and hands that touch something are then put where they belong by inverse kinematics.
"""

from dataclasses import dataclass

import numpy as np

from .affine import affine, apply, compose, place
from .channels import Pose
from .character import Body, Character
from .limbs import bone_direction, pitched, turned, two_bones
from .springs import SPRINGS, trail

CENTRE, GROUND = 46.5, 87.0
"""Where a standing figure's mid-line and soles are, in picture units."""

HEADROOM = 4.0
"""Picture units kept free above the hair."""

CAMERA_PITCH = 0.17
TAIL_SEGMENTS, TAIL_LENGTH = 10, 2.8
HEAD_PIVOT = 10.6
"""From the middle of the head down to the point it turns about."""

SIDES = (("right", -1.0), ("left", 1.0))

STANDARD_LEG = Body().thigh + Body().shin
"""Leg length for which the lengths among the pose channels are given; others scale with their own."""

_TOE, _HEEL = np.array([4.0, 2.0]), np.array([-1.9, 2.0])
"""Where a rolling foot touches the ground, in the shoe's coordinates."""

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
        maps["skirt"] = _skirt_map(character.body, pose, maps["torso"], joints, springs["skirt"])
        if character.tail:
            maps |= _tail_maps(joints["mid_hip"], pose, springs["tail"])
    return Figure(maps, joints, depth, springs)


def leg_scale(body: Body) -> float:
    """Factor from the pose channels that are lengths to this body's picture units."""
    return (body.thigh + body.shin) / STANDARD_LEG


def ground_travel(body: Body, pose: Pose) -> np.ndarray:
    """[T] how far the figure has come to the viewer's right, in picture units.

    It is drawn on the spot: everything that stands on the ground behind it moves by minus this.
    """
    return leg_scale(body) * pose["travel"]


def project(vector: np.ndarray) -> np.ndarray:
    """[T, 3] -> [T, 2], picture units."""
    y = vector[:, 1] * np.cos(CAMERA_PITCH) + vector[:, 2] * np.sin(CAMERA_PITCH)
    return np.stack([vector[:, 0], y], axis=-1)


def _place_bones(
    body: Body, pose: Pose
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    maps, joints, depth = _legs(body, pose)
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
        lower = joints[f"{side}_wrist"] - joints[f"{side}_elbow"]
        maps[f"{side}_upper_arm"] = _along(
            joints[f"{side}_shoulder"], joints[f"{side}_elbow"], body.upper_arm
        )
        maps[f"{side}_forearm"] = _along(joints[f"{side}_elbow"], joints[f"{side}_wrist"], body.forearm)
        maps[f"{side}_hand"] = place(
            frames, *joints[f"{side}_wrist"].T, np.arctan2(-lower[:, 0], lower[:, 1])
        )

    tilt = np.arctan2(unit[:, 0], -unit[:, 1])
    # Seen from the side a nod turns the head on the picture.
    turn = 0.4 * tilt + pose["head_roll"] + 0.5 * pose["head_pitch"] * np.sin(pose["head_yaw"])
    neck_top = apply(upright, np.array([[0.0, -body.torso - 1.6]]))[:, 0]
    nod = 0.9 * pose["head_pitch"]
    forward = 2.0 * pose["head_pitch"] * np.sin(yaw)
    pivot = place(
        frames, neck_top[:, 0] + forward, neck_top[:, 1] + nod, turn, body.head_scale, body.head_scale
    )
    maps["head"] = compose(pivot, place(frames, y=-HEAD_PIVOT))
    maps["neck"] = _along(neck, neck_top + np.stack([forward, nod - 2], -1), 5.0)
    return maps, joints, depth


def _legs(
    body: Body, pose: Pose
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Hips at their height, feet on their places, knees between them."""
    scale, yaw, heading = leg_scale(body), pose["yaw"], pose["heading"]
    zero = np.zeros_like(yaw)
    centre = turned(np.stack([zero, zero, scale * pose["hip_forward"]], axis=-1), heading)
    centre[:, 0] += scale * pose["root_x"]
    lift = _lift(body, pose, scale)
    plans = {side: _leg_plan(body, pose, side, sign, centre, lift) for side, sign in SIDES}
    pinned = 0.5 * (pose["right_pin"] + pose["left_pin"])
    stand = 0.985 * (body.thigh + body.shin) + body.sole + scale * pose["hip_height"] + lift
    low_enough = _soft_minimum(np.stack([stand, *(plan["highest"] for plan in plans.values())]))
    hanging = _soft_maximum(np.stack([plan["lowest"] for plan in plans.values()])) + lift
    centre[:, 1] = -(pinned * low_enough + (1 - pinned) * hanging)

    origin = np.array([CENTRE, GROUND])
    maps: dict[str, np.ndarray] = {}
    depth: dict[str, np.ndarray] = {}
    joints = {"mid_hip": origin + project(centre)}
    for side, _ in SIDES:
        plan, pin = plans[side], pose[f"{side}_pin"][:, None]
        hip = centre + plan["hip"]
        ankle = pin * plan["target"] + (1 - pin) * (hip + plan["ankle"])
        straight = ankle - hip
        straight /= np.maximum(np.linalg.norm(straight, axis=-1, keepdims=True), 1e-9)
        bent = plan["knee"] - (plan["knee"] * straight).sum(axis=-1, keepdims=True) * straight
        pole = (pin + 1e-3) * plan["forward"] + (1 - pin) * bent
        knee, ankle = two_bones(hip, ankle, pole, body.thigh, body.shin)
        for name, point in (("hip", hip), ("knee", knee), ("ankle", ankle)):
            joints[f"{side}_{name}"] = origin + project(point)
            depth[f"{side}_{name}"] = point[:, 2] - centre[:, 2]
        maps[f"{side}_thigh"] = _along(joints[f"{side}_hip"], joints[f"{side}_knee"], body.thigh)
        maps[f"{side}_shin"] = _along(joints[f"{side}_knee"], joints[f"{side}_ankle"], body.shin)
        maps[f"{side}_shoe"] = affine(*plan["shoe"].swapaxes(0, 1), joints[f"{side}_ankle"])
        for toe, at in (("big_toe", (4.0, 1.6)), ("small_toe", (3.2, 1.9)), ("heel", (-1.9, 1.6))):
            joints[f"{side}_{toe}"] = apply(maps[f"{side}_shoe"], np.array([at]))[:, 0]
    return maps, joints, depth


def _lift(body: Body, pose: Pose, scale: float) -> np.ndarray:
    """Height of a jump, softly limited to the room above the head."""
    room = GROUND - HEADROOM - (body.thigh + body.shin + body.sole + body.torso + 1.6) * np.cos(CAMERA_PITCH)
    room = max(room - (HEAD_PIVOT + 16.0) * body.head_scale, 1.0)
    height = scale * np.maximum(pose["jump"], 0.0) / np.cos(CAMERA_PITCH)
    return np.asarray(height / (1 + (height / room) ** 4) ** 0.25)


def _leg_plan(
    body: Body, pose: Pose, side: str, sign: float, centre: np.ndarray, lift: np.ndarray
) -> dict[str, np.ndarray]:
    """Where a leg's angles put it from its hip, and where its foot stands on the ground."""
    scale, heading, pin = leg_scale(body), pose["heading"], pose[f"{side}_pin"]
    zero = np.zeros_like(heading)
    hip = turned(np.stack([zero + sign * body.hip_half, zero, zero], axis=-1), pose["yaw"])
    swing, out, bend = pose[f"{side}_leg_swing"], pose[f"{side}_leg_out"], pose[f"{side}_knee"]
    knee = body.thigh * turned(bone_direction(swing, out, sign), pose["yaw"])
    shin = bone_direction(swing - bend, out + pose[f"{side}_knee_out"], sign)
    ankle = knee + body.shin * turned(shin, pose["yaw"])

    pitch = pose[f"{side}_foot_pitch"]
    toes = pin * heading + (1 - pin) * pose["yaw"] + sign * pose[f"{side}_foot_turn"]
    shoe, flat = _shoe_axes(toes, pitch), _shoe_axes(toes, zero)
    contact = np.stack(
        [
            sign * (body.hip_half + scale * pose[f"{side}_foot_out"]),
            zero,
            scale * pose[f"{side}_foot_forward"],
        ],
        axis=-1,
    )
    target = turned(contact, heading)
    target[:, 1] = -body.sole - scale * pose[f"{side}_foot_lift"] - lift
    # The ankle goes where the drawn shoe keeps touching the ground at its toe or heel.
    touch = np.where(pitch[:, None] < 0, _TOE, _HEEL)
    rolled = np.einsum("tij,ti->tj", flat - shoe, touch)
    target[:, 0] += rolled[:, 0]
    target[:, 1] += rolled[:, 1] / np.cos(CAMERA_PITCH)
    across = target - centre - hip
    reach = 0.994 * (body.thigh + body.shin)
    rise = np.sqrt(np.maximum(reach**2 - across[:, 0] ** 2 - across[:, 2] ** 2, (0.15 * reach) ** 2))
    sole = body.sole * np.cos(pitch)
    ends = np.stack([sole - 4.0 * np.sin(pitch), sole + 1.8 * np.sin(pitch)])
    return {
        "hip": hip, "knee": knee, "ankle": ankle, "target": target, "shoe": shoe,
        "forward": turned(np.stack([zero, zero, zero + 1], axis=-1), toes),
        "highest": rise - target[:, 1], "lowest": ankle[:, 1] + _soft_maximum(ends),
    }  # fmt: skip


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


def _soft_maximum(values: np.ndarray, sharpness: float = 2.5) -> np.ndarray:
    """Smooth maximum over the first axis: the weight passes from one foot to the other without a jerk."""
    top = values.max(axis=0)
    return np.asarray(top + np.log(np.exp(sharpness * (values - top)).mean(axis=0)) / sharpness)


def _soft_minimum(values: np.ndarray, sharpness: float = 4.0) -> np.ndarray:
    """Smooth minimum over the first axis, never above the least value: no foot loses the ground."""
    low = values.min(axis=0)
    return np.asarray(low - np.log(np.exp(-sharpness * (values - low)).sum(axis=0)) / sharpness)


def _along(start: np.ndarray, end: np.ndarray, length: float) -> np.ndarray:
    """Map of a limb whose material y axis runs from ``start`` (0) to ``end`` (``length``), width kept."""
    y_axis = (end - start) / length
    unit = y_axis / np.maximum(np.linalg.norm(y_axis, axis=-1, keepdims=True), 1e-6)
    return affine(np.stack([unit[:, 1], -unit[:, 0]], axis=-1), y_axis, start)


def _shoe_axes(toes: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """[T, 2 axes, 2] of a shoe drawn from its side, as long as a foot that points to ``toes`` would look."""
    facing = np.sin(toes) / np.sqrt(np.sin(toes) ** 2 + 0.1**2)
    length = np.sqrt(np.sin(toes) ** 2 + (0.6 * np.cos(toes)) ** 2)
    dip = 0.7 * np.cos(toes) * np.sin(CAMERA_PITCH)
    x_axis = np.stack([facing * length * np.cos(pitch), dip - np.sin(pitch) * length], axis=-1)
    y_axis = np.stack([np.sin(pitch) * facing, np.cos(pitch)], axis=-1)
    return np.stack([x_axis, y_axis], axis=1)


def _skirt_map(
    body: Body, pose: Pose, torso: np.ndarray, joints: dict[str, np.ndarray], spring: np.ndarray
) -> np.ndarray:
    """The skirt hangs from the torso, lies along the thighs of one who sits, and swings behind the hips."""
    hip = joints["mid_hip"]
    spread = np.abs(joints["right_knee"][:, 0] - joints["left_knee"][:, 0])
    thighs = (0.5 * (joints["right_knee"] + joints["left_knee"]) - hip) / body.thigh
    flare = 1 + 0.012 * spread + 0.02 * np.abs(spring[:, 1])
    down = torso[:, :, 1]
    raised = np.clip(1.1 * (0.75 - thighs[:, 1]), 0.0, 1.0)[:, None]
    down = (1 - raised) * down + raised * (1.15 * thighs + 0.25 * down)
    sway = 0.045 * body.thigh * thighs[:, 0] + 0.1 * spring[:, 0]
    down = down + np.stack([sway * (1 - raised[:, 0]), -0.03 * spring[:, 1]], axis=-1)
    return affine(torso[:, :, 0] * flare[:, None], down, hip)


def _tail_maps(hip: np.ndarray, pose: Pose, spring: np.ndarray) -> dict[str, np.ndarray]:
    """A chain that leaves the hips backwards, sags, then curls up, with a wave running to its tip."""
    yaw = pose["yaw"]
    # Behind a figure that faces left the tail is on the right; it passes over smoothly when the figure turns.
    side = np.tanh(4.0 * yaw + 1.5)
    start = hip + np.stack([-1.5 * side - 2.5 * np.sin(yaw), np.full_like(yaw, -0.5)], axis=-1)
    maps = {}
    for i in range(TAIL_SEGMENTS):
        along = i / (TAIL_SEGMENTS - 1)
        wave = 0.34 * along**0.7 * np.sin(pose["tail_beat"] - 2.4 * along) * pose["looseness"]
        rise = (1.15 + 2.2 * pose["tail_curl"]) * along * 1.7
        angle = (1.35 + rise + wave) * side + 0.11 * along * (spring[:, 0] + side * spring[:, 1])
        step = np.stack([-np.sin(angle), np.cos(angle)], axis=-1) * TAIL_LENGTH
        maps[f"tail_{i}"] = _along(start, start + step, TAIL_LENGTH)
        start = start + step
    return maps
