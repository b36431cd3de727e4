"""A motion on another body: limbs take its lengths and keep their directions, feet stay on its ground."""

import numpy as np
import pytest

from temporal_gan.pose_files import PoseSequence
from temporal_gan.puppet import motion_keypoints
from temporal_gan.retargeting import retarget
from temporal_gan.skeletons import CANONICAL25, Skeleton

STICK = Skeleton("stick", ("hip", "knee", "foot"), ((0, 1), (1, 2)), (), (1, 1, 1))


def stick(*poses: list[tuple[float, float]]) -> PoseSequence:
    points = np.array(poses, np.float32)
    return PoseSequence(
        points, np.ones(points.shape[:2], np.float32), np.ones(points.shape[:2], np.int64), 24.0, STICK
    )


def puppet(character: str, motion: str, frames: int = 24) -> PoseSequence:
    return PoseSequence(*motion_keypoints(character, motion, frames, 24.0), 24.0, CANONICAL25)


def lengths(points: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    start, end = np.array(skeleton.edges).T
    return np.asarray(np.linalg.norm(points[:, end] - points[:, start], axis=-1))


def test_limbs_take_the_bodys_lengths_and_keep_their_directions() -> None:
    # Thigh 0.2 and shin 0.1, swinging; the body's are 0.1 and 0.15, it stands at x 0.3 on the ground at 0.9.
    motion = stick([(0.5, 0.4), (0.5, 0.6), (0.5, 0.7)], [(0.5, 0.4), (0.7, 0.4), (0.7, 0.5)])
    body = np.array([[(0.3, 0.65), (0.3, 0.75), (0.3, 0.9)]])
    made = retarget(motion, body, np.ones((1, 3)))
    np.testing.assert_allclose(lengths(made.keypoints, STICK), [[0.1, 0.15]] * 2, atol=1e-6)
    np.testing.assert_allclose(made.keypoints[0], body[0], atol=0.02)
    np.testing.assert_allclose(made.keypoints[1, 1] - made.keypoints[1, 0], [0.1, 0.0], atol=1e-6)
    assert (made.confidence == 1).all()


def test_its_own_body_changes_nothing() -> None:
    motion = puppet("hana", "jump")
    made = retarget(motion, motion.keypoints, motion.confidence)
    there = (made.confidence > 0)[..., None]
    # Left and right are made alike, and foreshortened limbs a little longer: no joint moves by a pixel of 64.
    assert np.abs(made.keypoints - motion.keypoints)[there.repeat(2, -1)].max() < 0.015


@pytest.mark.parametrize(
    ("character", "motion", "most"), [("pipi", "walk", 0.02), ("pipi", "jump", 0.02), ("kon", "jump", 0.02)]
)
def test_a_puppets_motion_on_another_puppet_is_that_ones_own(
    character: str, motion: str, most: float
) -> None:
    """One picture of pipi standing, and hana's motion on her comes to lie where pipi's own would."""
    body, own, others = puppet(character, "idle", 1), puppet(character, motion), puppet("hana", motion)
    made = retarget(others, body.keypoints, body.confidence)
    before, after = (np.linalg.norm(p.keypoints - own.keypoints, axis=-1).mean() for p in (others, made))
    assert after < most
    assert after < before


def test_ears_that_stand_up_stand_up() -> None:
    body, others = puppet("kon", "idle", 1), puppet("hana", "jump")
    made = retarget(others, body.keypoints, body.confidence)
    for side in ("left", "right"):
        eye, ear = (CANONICAL25.joints.index(f"{side}_{name}") for name in ("eye", "ear"))
        rise = [
            (p[:, eye] - p[:, ear])[:, 1].mean() for p in (others.keypoints, body.keypoints, made.keypoints)
        ]
        assert abs(rise[0]) < 0.03
        assert rise[1] > 0.08
        assert rise[2] > 0.5 * rise[1]


def test_feet_stay_on_the_ground_and_a_jump_leaves_it() -> None:
    body = puppet("pipi", "idle", 1)
    ground = body.keypoints[..., 1].max()
    for motion, lowest in (("sit-down", 0.02), ("jump", 0.2)):
        made = retarget(puppet("hana", motion, 48), body.keypoints, body.confidence)
        feet = made.keypoints[..., 1].max(axis=1)
        assert abs(np.quantile(feet, 0.9) - ground) < 0.01
        assert ground - feet.min() < lowest
    assert ground - feet.min() > 0.04


def test_joints_that_no_picture_shows_are_not_commanded() -> None:
    motion, body = puppet("hana", "walk", 4), puppet("pipi", "idle", 1)
    hidden = [CANONICAL25.joints.index(name) for name in ("left_big_toe", "right_ear")]
    confidence = body.confidence.copy()
    confidence[:, hidden] = 0
    keypoints = np.where(confidence[..., None] > 0, body.keypoints, np.nan)
    made = retarget(motion, np.nan_to_num(keypoints, nan=-9.0), confidence)
    assert (made.confidence[:, hidden] == 0).all()
    assert (np.delete(made.confidence, hidden, axis=1) > 0).all()
    assert np.isfinite(made.keypoints).all()


def test_a_limb_that_points_at_the_viewer_is_no_stump() -> None:
    motion, body = puppet("hana", "walk", 12), puppet("hana", "idle", 1)
    wrist, elbow = (CANONICAL25.joints.index(f"left_{name}") for name in ("wrist", "elbow"))
    right = [CANONICAL25.joints.index(f"right_{name}") for name in ("wrist", "elbow")]
    keypoints, confidence = body.keypoints.copy(), body.confidence.copy()
    keypoints[:, wrist] = keypoints[:, elbow]
    confidence[:, right] = 0
    made = retarget(motion, keypoints, confidence)
    forearm = [
        np.linalg.norm(p[:, wrist] - p[:, elbow], axis=-1).max() for p in (motion.keypoints, made.keypoints)
    ]
    assert forearm[1] > 0.4 * forearm[0]


def test_half_a_body_keeps_its_place() -> None:
    """A bust: no joint below the hips; what is beyond the frame's edge is not commanded."""
    body = puppet("hana", "idle", 1)
    legs = [
        j
        for j, name in enumerate(CANONICAL25.joints)
        if name.split("_")[-1] in ("knee", "ankle", "toe", "heel")
    ]
    keypoints = 2.0 * (body.keypoints - body.keypoints[:, 1:2]) + np.array([0.5, 0.5])
    confidence = body.confidence.copy()
    confidence[:, legs] = 0
    made = retarget(puppet("pipi", "idle"), keypoints, confidence)
    neck = made.keypoints[:, 1].mean(0)
    assert np.abs(neck - [0.5, 0.5]).max() < 0.15
    assert (made.confidence[:, legs] == 0).all()
