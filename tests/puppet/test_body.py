"""Kinematics: feet on the ground, hands that meet, limbs of their length, and everything in the frame."""

from dataclasses import replace

import numpy as np
import pytest

from temporal_gan.expressions import expression_track
from temporal_gan.puppet import CHARACTERS, MOTIONS
from temporal_gan.puppet.body import pose_figure
from temporal_gan.puppet.channels import Pose
from temporal_gan.puppet.character import Body, Character
from temporal_gan.puppet.coupling import mood_pose
from temporal_gan.puppet.legs import CAMERA_PITCH, ground_travel
from temporal_gan.puppet.limbs import bone_angles, bone_direction, two_bones
from temporal_gan.puppet.motion import motion_pose
from temporal_gan.puppet.rig import PICTURE, build_rig

HANA = CHARACTERS["hana"]
BODIES = {
    "standard": Body(),
    "chibi": Body(
        thigh=6.5,
        shin=6.0,
        torso=11.0,
        upper_arm=6.0,
        forearm=5.2,
        shoulder_half=4.6,
        hip_half=2.6,
        head_scale=1.3,
    ),
    "tall": Body(
        thigh=14.0, shin=14.5, torso=17.0, upper_arm=10.0, forearm=9.0, shoulder_half=6.0, head_scale=0.9
    ),
}
STANDING = ("idle", "wave", "bow", "clap", "point", "nod", "shake", "sit-down", "fall-asleep")


def _who(body: str) -> Character:
    return replace(HANA, body=BODIES[body])


def _stances(pose: Pose, side: str, lag: float, cycles: np.ndarray, stance: float) -> list[np.ndarray]:
    """bool [T] of each step's time on the ground."""
    own = cycles - lag
    return [(np.floor(own) == n) & (own - n < stance) for n in np.unique(np.floor(own))]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["walk", "run"])
@pytest.mark.parametrize("change", ["plain", "wider", "other side"])
def test_planted_feet_stand_on_the_moving_ground(name: str, body: str, change: str) -> None:
    gait, period = MOTIONS[name].gait, MOTIONS[name].period_sec
    assert gait is not None
    time = np.arange(96) / 24
    amplitude = np.linspace(0.6, 1.2, 96) if change == "wider" else 1.0
    pose = motion_pose(name, time, amplitude=amplitude, phase=0.13, other_side=change == "other side")
    figure = pose_figure(_who(body), pose, None)
    travel = ground_travel(BODIES[body], pose)
    # The ground is a plane seen from a little above: it comes nearer as it goes aside.
    ground = np.stack([travel, travel / np.tan(pose["heading"]) * np.sin(CAMERA_PITCH)], axis=-1)
    slid, steps = 0.0, 0
    for side, lag in (("right", 0.0), ("left", 0.5)):
        if change == "other side":
            side = {"right": "left", "left": "right"}[side]
        pitch = pose[f"{side}_foot_pitch"]
        for stands in _stances(pose, side, lag, 0.13 + time / period, gait.stance):
            for joint, touches in (("big_toe", pitch <= 1e-9), ("heel", pitch >= -1e-9)):
                place = (figure.joints[f"{side}_{joint}"] + ground)[stands & touches]
                if len(place) > 1:
                    slid, steps = max(slid, float(np.ptp(place, axis=0).max())), steps + 1
    assert steps > 8
    # Half a hundredth of the frame is asked for; the toe rolls by half of that about its ball.
    assert slid < 0.005 * PICTURE
    # And the ground does move, all the time, to the side the figure walks.
    moved = np.diff(travel) * (-1 if change == "other side" else 1)
    assert moved.min() > 0.1
    if change != "wider":
        np.testing.assert_allclose(moved, moved[0], rtol=1e-6)


@pytest.mark.parametrize("name", STANDING)
def test_standing_feet_stay_where_they_are(name: str) -> None:
    time = np.arange(72) / 24
    for body in BODIES:
        joints = pose_figure(_who(body), motion_pose(name, time, phase=0.4), None).joints
        for joint in ("big_toe", "heel", "ankle"):
            for side in ("right", "left"):
                assert np.ptp(joints[f"{side}_{joint}"], axis=0).max() < 0.002 * PICTURE, (body, side, joint)
        assert np.ptp(joints["neck"], axis=0).max() > 0.25, "the rest is alive"


def test_a_jump_leaves_the_ground_and_comes_back_to_it() -> None:
    time = np.arange(60) / 48
    joints = pose_figure(HANA, motion_pose("jump", time), None).joints
    height = np.minimum(*(joints[f"{side}_heel"][:, 1] for side in ("right", "left")))
    standing = np.r_[0:10, 48:60]
    assert np.ptp(height[standing]) < 0.01 * PICTURE
    assert height[0] - height.min() > 0.08 * PICTURE
    # It crouches first.
    hip = joints["mid_hip"][:, 1]
    assert hip[:18].max() - hip[0] > 0.04 * PICTURE


@pytest.mark.parametrize("body", BODIES)
def test_clapping_palms_meet(body: str) -> None:
    period = MOTIONS["clap"].period_sec
    time = np.linspace(0.0, 4 * period, 200)
    joints = pose_figure(_who(body), motion_pose("clap", time), None).joints
    apart = np.linalg.norm(joints["right_wrist"] - joints["left_wrist"], axis=-1)
    arm = BODIES[body].upper_arm + BODIES[body].forearm
    # Wrists a hand's thickness apart, then most of an arm's length.
    assert apart.min() < 0.12 * arm
    assert apart.max() > 0.8 * arm
    closed = apart < 0.15 * arm
    claps = np.diff(closed.astype(int)).clip(0).sum() + closed[0]
    assert 4 <= claps <= 5
    middle = 0.5 * (joints["right_wrist"] + joints["left_wrist"])[closed, 1]
    assert (middle > joints["neck"][closed, 1]).all()
    assert (middle < joints["mid_hip"][closed, 1]).all()


def test_a_reaching_hand_is_where_it_is_told_to_be() -> None:
    pose = motion_pose("idle", np.zeros(2))
    still = {name: np.zeros(2) for name in ("yaw", "bow", "lean", "twist", "shrug", "stretch", "breath")}
    at = {"reach": [1.0, 0.0], "reach_out": [0.3, 0.3], "reach_down": [0.4, 0.4], "reach_forward": [0.5, 0.5]}
    pose |= still | {f"{side}_{name}": np.array(v) for side in ("right", "left") for name, v in at.items()}
    figure = pose_figure(HANA, pose, None)
    arm = HANA.body.upper_arm + HANA.body.forearm
    for side, sign in (("right", -1), ("left", 1)):
        wrist = figure.joints[f"{side}_wrist"] - figure.joints[f"{side}_shoulder"]
        down = 0.4 * np.cos(CAMERA_PITCH) + 0.5 * np.sin(CAMERA_PITCH)
        wanted = [sign * (0.3 * arm - HANA.body.shoulder_half), down * arm]
        np.testing.assert_allclose(wrist[0], wanted, atol=1e-6)
        assert figure.depth[f"{side}_wrist"][0] == pytest.approx(0.5 * arm)
        assert np.abs(wrist[1] - wanted).max() > 1.0


def test_the_pointing_arm_is_stretched_and_level_after_it_drew_back() -> None:
    time = np.arange(60) / 24
    joints = pose_figure(HANA, motion_pose("point", time), None).joints
    arm = joints["right_wrist"] - joints["right_shoulder"]
    reach = np.linalg.norm(arm, axis=-1) / (HANA.body.upper_arm + HANA.body.forearm)
    assert reach[:12].min() < 0.7
    assert (reach[24:] > 0.9).all()
    assert np.abs(arm[24:, 1] / arm[24:, 0]).max() < 0.35


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("body", BODIES)
def test_no_joint_leaves_the_frame(name: str, body: str) -> None:
    time = np.arange(60) / 20
    for style, expression in ((-1, "scared"), (0, "happy"), (1, "surprised")):
        track = expression_track(expression, 60, 20.0)
        spec = f"{name}@amplitude=1.2,style={style}"
        pose = mood_pose(spec, time, track, 1.0, seed=style + 5)
        before = mood_pose(spec, time, track, 1.0, seed=style + 5, before=True)
        points = build_rig(_who(body), pose, before, track).keypoints
        assert points.min() > 0.02
        assert points.max() < 0.99


@pytest.mark.parametrize("name", MOTIONS)
def test_bones_are_never_longer_than_they_are(name: str) -> None:
    joints = pose_figure(HANA, motion_pose(name, np.arange(48) / 16), None).joints
    for chain, lengths in (
        (("hip", "knee", "ankle"), (HANA.body.thigh, HANA.body.shin)),
        (("shoulder", "elbow", "wrist"), (HANA.body.upper_arm, HANA.body.forearm)),
    ):
        for side in ("right", "left"):
            for start, end, length in zip(chain, chain[1:], lengths, strict=False):
                seen = np.linalg.norm(joints[f"{side}_{end}"] - joints[f"{side}_{start}"], axis=-1)
                assert seen.max() < length + 1e-6, (side, end)


def test_two_bones_reach_what_they_can() -> None:
    random = np.random.default_rng(3)
    root, pole = random.normal(size=(200, 3)), random.normal(size=(200, 3))
    direction = random.normal(size=(200, 3))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    far = random.uniform(1.1, 12.0, (200, 1))
    target = root + far * direction
    middle, end = two_bones(root, target, pole, 5.0, 4.0)
    np.testing.assert_allclose(np.linalg.norm(middle - root, axis=-1), 5.0, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(end - middle, axis=-1), 4.0, rtol=1e-9)
    near = far[:, 0] < 8.99
    np.testing.assert_allclose(end[near], target[near], atol=1e-9)
    # Out of reach: stretched towards it.
    np.testing.assert_allclose(np.linalg.norm(end - root, axis=-1)[~near], 9.0, rtol=2e-6)
    np.testing.assert_allclose(np.cross(end - root, direction), 0.0, atol=1e-9)
    # The middle joint is on the side of the pole.
    along = (middle - root) - ((middle - root) * direction).sum(-1, keepdims=True) * direction
    assert ((along * pole).sum(-1) >= -1e-9).all()


def test_bone_angles_undo_bone_direction() -> None:
    random = np.random.default_rng(4)
    swing, out = random.uniform(-1.5, 1.5, 100), random.uniform(-3.1, 3.1, 100)
    for sign in (-1.0, 1.0):
        again = bone_angles(bone_direction(swing, out, sign), sign)
        np.testing.assert_allclose(again, (swing, out), atol=1e-9)


def test_angles_alone_move_a_leg_that_is_not_pinned() -> None:
    pose = motion_pose("idle", np.zeros(3))
    for side in ("right", "left"):
        pose[f"{side}_pin"] = np.zeros(3)
    pose["yaw"] = np.full(3, 0.5 * np.pi)
    pose["right_leg_swing"] = np.array([0.0, 0.5, -0.5])
    joints = pose_figure(HANA, pose, None).joints
    thigh = joints["right_knee"] - joints["right_hip"]
    np.testing.assert_allclose(thigh[:, 0], HANA.body.thigh * np.sin([0.0, 0.5, -0.5]), atol=0.02)


def test_a_bow_seen_from_the_front_shortens_the_torso() -> None:
    pose = motion_pose("idle", np.zeros(2))
    pose |= {"yaw": np.zeros(2), "lean": np.zeros(2), "bow": np.array([0.0, 0.9])}
    joints = pose_figure(HANA, pose, None).joints
    torso = joints["neck"] - joints["mid_hip"]
    assert np.abs(torso[:, 0]).max() < 1e-9
    assert 0.3 < torso[1, 1] / torso[0, 1] < 0.6


def test_lengths_of_a_pose_scale_with_the_body() -> None:
    pose = motion_pose("idle@amplitude=1.5", np.arange(12) / 4)
    lengths = ("thigh", "shin", "sole", "torso", "upper_arm", "forearm", "shoulder_half", "hip_half")
    half = Body(**{name: getattr(Body(), name) / 2 for name in lengths})
    large, small = (pose_figure(replace(HANA, body=b), pose, None).joints for b in (Body(), half))
    for first, second in (
        ("right_ankle", "left_ankle"),
        ("mid_hip", "left_ankle"),
        ("right_wrist", "left_elbow"),
    ):
        apart = [figure[first][:, 0] - figure[second][:, 0] for figure in (large, small)]
        assert np.abs(apart[0]).max() > 1.0
        np.testing.assert_allclose(apart[0], 2 * apart[1], atol=1e-6)
