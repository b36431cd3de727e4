"""Legs: hips at their height over feet that stand, walk or jump, and the knees between them."""

import numpy as np

from .affine import affine, along, apply
from .channels import Pose
from .character import Body
from .limbs import bone_direction, turned, two_bones

CENTRE, GROUND = 46.5, 87.0
"""Where a standing figure's mid-line and soles are, in picture units."""

HEADROOM = 4.0
"""Picture units kept free above the hair."""

CAMERA_PITCH = 0.17
HEAD_PIVOT = 10.6
"""From the middle of the head down to the point it turns about."""

SIDES = (("right", -1.0), ("left", 1.0))

STANDARD_LEG = Body().thigh + Body().shin
"""Leg length for which the lengths among the pose channels are given; others scale with their own."""

_TOE, _HEEL = np.array([4.0, 2.0]), np.array([-1.9, 2.0])
"""Where a rolling foot touches the ground, in the shoe's coordinates."""


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


def place_legs(
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
    stand = 0.99 * (body.thigh + body.shin) + body.sole + scale * pose["hip_height"]
    # Nobody sits deeper than the ground.
    seat = 1.3 * body.leg_radius + 0.5
    stand = seat + np.logaddexp(0.0, 1.5 * (stand - seat)) / 1.5 + lift
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
        maps[f"{side}_thigh"] = along(joints[f"{side}_hip"], joints[f"{side}_knee"], body.thigh)
        maps[f"{side}_shin"] = along(joints[f"{side}_knee"], joints[f"{side}_ankle"], body.shin)
        maps[f"{side}_shoe"] = affine(plan["shoe"][:, 0], plan["shoe"][:, 1], joints[f"{side}_ankle"])
        for toe, at in (("big_toe", (4.0, 1.6)), ("small_toe", (3.2, 1.9)), ("heel", (-1.9, 1.6))):
            joints[f"{side}_{toe}"] = apply(maps[f"{side}_shoe"], np.array([at]))[:, 0]
    return maps, joints, depth


def _lift(body: Body, pose: Pose, scale: float) -> np.ndarray:
    """Height of a jump, softly limited to the room above the head."""
    room = GROUND - HEADROOM - (body.thigh + body.shin + body.sole + body.torso + 1.6) * np.cos(CAMERA_PITCH)
    room = max(room - (HEAD_PIVOT + body.crown) * body.head_scale, 1.0)
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
    reach = 0.997 * (body.thigh + body.shin)
    rise = np.sqrt(np.maximum(reach**2 - across[:, 0] ** 2 - across[:, 2] ** 2, (0.15 * reach) ** 2))
    sole = body.sole * np.cos(pitch)
    ends = np.stack([sole - 4.0 * np.sin(pitch), sole + 1.8 * np.sin(pitch)])
    return {
        "hip": hip, "knee": knee, "ankle": ankle, "target": target, "shoe": shoe,
        "forward": turned(np.stack([zero, zero - 0.8, zero + 1], axis=-1), toes),
        "highest": rise - target[:, 1], "lowest": ankle[:, 1] + _soft_maximum(ends),
    }  # fmt: skip


def _shoe_axes(toes: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """[T, 2 axes, 2] of a shoe drawn from its side, as long as a foot that points to ``toes`` would look."""
    facing = np.sin(toes) / np.sqrt(np.sin(toes) ** 2 + 0.04**2)
    length = np.sqrt(np.sin(toes) ** 2 + (0.6 * np.cos(toes)) ** 2)
    dip = 0.7 * np.cos(toes) * np.sin(CAMERA_PITCH)
    x_axis = np.stack([facing * length * np.cos(pitch), dip - np.sin(pitch) * length], axis=-1)
    y_axis = np.stack([np.sin(pitch) * facing, np.cos(pitch)], axis=-1)
    return np.stack([x_axis, y_axis], axis=1)


def _soft_maximum(values: np.ndarray, sharpness: float = 2.5) -> np.ndarray:
    """Smooth maximum over the first axis: the weight passes from one foot to the other without a jerk."""
    top = values.max(axis=0)
    return np.asarray(top + np.log(np.exp(sharpness * (values - top)).mean(axis=0)) / sharpness)


def _soft_minimum(values: np.ndarray, sharpness: float = 4.0) -> np.ndarray:
    """Smooth minimum over the first axis, never above the least value: no foot loses the ground."""
    low = values.min(axis=0)
    return np.asarray(low - np.log(np.exp(-sharpness * (values - low)).sum(axis=0)) / sharpness)
